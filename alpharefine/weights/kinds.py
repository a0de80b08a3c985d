"""What a set of weights can be for: the networks, by name."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from alpharefine.errors import UsageError
from alpharefine.nets.dimp import NETWORKS, build_dimp_network
from alpharefine.nets.refine import REFINE_NETWORKS, build_refine_network

BUILDERS: Mapping[str, Callable[[str], nn.Module]] = {
    **dict.fromkeys(NETWORKS, build_dimp_network),
    **dict.fromkeys(REFINE_NETWORKS, build_refine_network),
}
"""Kind of weights -> what builds a network of that kind from the kind's name."""

OFFICIAL_UNREAD: Mapping[str, tuple[str, ...]] = {
    "super_dimp": ("feature_extractor.layer4.", "feature_extractor.fc."),
    "ar_v20": ("feature_extractor.fc.",),
    "ar_c21_r34": ("feature_extractor.layer4.", "feature_extractor.fc."),
    "ar_c21_r18": ("feature_extractor.layer4.", "feature_extractor.fc."),
}
"""Kinds that the authors publish -> prefixes of the entries that nothing reads."""


def build_network(kind: str) -> nn.Module:
    """A network of a kind with its initial random weights.

    Raises:
        UsageError: there is no such kind.
    """
    builder = BUILDERS.get(kind)
    if builder is None:
        raise UsageError(f"unknown kind of weights '{kind}': known are {', '.join(BUILDERS)}")
    return builder(kind)


def expected_entries(kind: str) -> dict[str, Tensor]:
    """Entry name -> tensor without data (meta device) of the kind's state dict.

    Raises:
        UsageError: there is no such kind.
    """
    with torch.device("meta"):
        return build_network(kind).state_dict()
