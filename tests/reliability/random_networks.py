"""Small networks with seeded random weights, for tests that need any."""

from functools import cache

import torch

from alpharefine.nets.dimp import DimpNet, build_dimp_network
from alpharefine.nets.refine import RefineNetwork, build_refine_network
from alpharefine.runtime import resolve_runtime

CPU = resolve_runtime("cpu")


@cache
def network() -> DimpNet:
    """A network of the base tracker."""
    torch.manual_seed(0)
    return CPU.prepare(build_dimp_network("dimp_lite"))


@cache
def refine_network() -> RefineNetwork:
    """A network of the refinement."""
    torch.manual_seed(0)
    return CPU.prepare(build_refine_network("ar_lite"))
