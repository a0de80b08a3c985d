"""The filled network of the SiamRPN++ fixtures."""

from copy import deepcopy
from functools import cache

from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig
from alpharefine.nets.siamrpn.depthwise import DepthwiseRpnNet
from tests.parity.fixtures import check_manifest, fill_network
from tests.parity.siamese import RUNTIME

FAMILY = "siamrpn"
LEVELS = ("layer2", "layer3", "layer4")
STRIDES = (16, 32, 64)
"""Of the channels that the fixtures keep of each level."""


@cache
def filled_network(seed: int) -> DepthwiseRpnNet:
    network = DepthwiseRpnConfig().build()
    check_manifest(network, "siamrpn_r50_l234_dwxcorr", family=FAMILY)
    fill_network(network, seed, "siamrpn/filler_siamrpn")
    return network


@cache
def prepared_network(seed: int) -> DepthwiseRpnNet:
    network: DepthwiseRpnNet = RUNTIME.prepare(deepcopy(filled_network(seed)))
    return network
