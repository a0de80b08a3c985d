"""SiamFC+ as a family that can be trained."""

from functools import partial

from torch import nn

from alpharefine.training.run import Family
from alpharefine.training.tasks.siamese.crops import SiameseCutter
from alpharefine.training.tasks.siamfc.config import SiamFcRunConfig
from alpharefine.training.tasks.siamfc.module import SiamFcModule


def _module(network: nn.Module, config: SiamFcRunConfig) -> SiamFcModule:
    return SiamFcModule(network, config.network, config.losses, config.optim)


def _cutter(config: SiamFcRunConfig) -> "partial[SiameseCutter]":
    return partial(SiameseCutter, config.data.crops)


SIAMFC = Family("SiamFC+", SiamFcRunConfig, _module, _cutter)
