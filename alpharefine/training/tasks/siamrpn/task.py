"""SiamRPN++ and SiamRPN+ as a family that can be trained."""

from functools import partial

from torch import nn

from alpharefine.training.run import Family
from alpharefine.training.tasks.siamese.crops import SiameseCutter
from alpharefine.training.tasks.siamrpn.config import SiamRpnRunConfig
from alpharefine.training.tasks.siamrpn.module import SiamRpnModule


def _module(network: nn.Module, config: SiamRpnRunConfig) -> SiamRpnModule:
    size = config.data.crops.context.search_size
    return SiamRpnModule(network, config.network, config.losses, config.optim, size)


def _cutter(config: SiamRpnRunConfig) -> "partial[SiameseCutter]":
    return partial(SiameseCutter, config.data.crops)


SIAMRPN = Family("SiamRPN++ or SiamRPN+", SiamRpnRunConfig, _module, _cutter)
