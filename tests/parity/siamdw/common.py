"""The filled networks of the SiamFC+ and SiamRPN+ fixtures."""

from copy import deepcopy
from functools import cache

from torch import nn

from alpharefine.nets.registry import find_network
from tests.parity.fixtures import check_manifest, fill_network
from tests.parity.siamese import RUNTIME

FAMILY = "siamdw"
ARCHITECTURES = {
    "SiamFCRes22": "siamfc_res22",
    "SiamFCRes22W": "siamfc_res22w",
    "SiamFCIncep22": "siamfc_incep22",
    "SiamFCNext22": "siamfc_next22",
    "SiamRPNRes22_thinner": "siamrpn_res22",
    "SiamRPNRes22_thicker": "siamrpn_res22_thicker",
}
"""Name of the manifest -> ours."""


@cache
def filled_network(architecture: str, seed: int) -> nn.Module:
    network = find_network(ARCHITECTURES[architecture]).config.build()
    check_manifest(network, architecture, family=FAMILY)
    fill_network(network, seed, "siamdw/filler")
    return network


@cache
def prepared_network(architecture: str, seed: int) -> nn.Module:
    return RUNTIME.prepare(deepcopy(filled_network(architecture, seed)))


def network_tolerance(architecture: str) -> float:
    """Of network outputs, relative to the array's largest magnitude.

    Rounding grows with depth in the Inception network.
    """
    return 3e-4 if "Incep" in architecture else 1e-4
