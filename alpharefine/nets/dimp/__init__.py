"""DiMP networks."""

from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.dimp.network import NETWORKS, DimpFeatures, DimpNet, build_dimp_network

__all__ = ["NETWORKS", "DimpFeatures", "DimpNet", "DimpNetConfig", "build_dimp_network"]
