"""Alpha-Refine networks: one class, a table of named variants."""

from alpharefine.nets.refine.config import REFINE_NETWORKS, RefineNetConfig, refine_net_config
from alpharefine.nets.refine.network import RefineNetwork, RefineOutput, build_refine_network

__all__ = [
    "REFINE_NETWORKS",
    "RefineNetConfig",
    "RefineNetwork",
    "RefineOutput",
    "build_refine_network",
    "refine_net_config",
]
