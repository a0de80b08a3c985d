"""Small networks with seeded random weights, for tests that need any."""

from functools import cache

import torch

from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.registry import build_network
from alpharefine.runtime import resolve_runtime
from alpharefine.trackers.online.config import LocalizationConfig

EVERYTHING_RUNS = {
    "localization": LocalizationConfig(
        target_not_found_threshold=-1e9, distractor_threshold=1e9, hard_negative_threshold=1e9
    ),
    "train_skipping": 1,
}
"""Every frame counts as found, so that every part of a `DimpTracker` runs in it."""

CPU = resolve_runtime("cpu")


@cache
def network() -> DimpNet:
    """A network of the base tracker."""
    torch.manual_seed(0)
    return CPU.prepare(build_network("dimp_lite"))


@cache
def refine_network() -> RefineNetwork:
    """A network of the refinement."""
    torch.manual_seed(0)
    return CPU.prepare(build_network("ar_lite"))
