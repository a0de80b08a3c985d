"""What the parity tests of all online trackers share."""

import pytest
from torch import nn

from alpharefine.nets.registry import build_network
from tests.parity.fixtures import fill_network
from tests.parity.replay import RUNTIME

FAMILY = "online"
UNREAD = ("feature_extractor.layer4.", "feature_extractor.fc.")

lengths = pytest.mark.parametrize(
    "count",
    [pytest.param(5, id="start"), pytest.param(None, id="whole", marks=pytest.mark.soak)],
)
"""How many frames of a fixture are tracked; None is all."""


def filled_network(name: str, seed: int, prefix: str = "") -> nn.Module:
    """A network of the registry with the filler's weights, prepared for inference."""
    network = build_network(name)
    fill_network(network, seed, "online/filler2", prefix)
    return RUNTIME.prepare(network)
