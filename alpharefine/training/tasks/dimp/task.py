"""DiMP as a family that can be trained."""

from functools import partial

from alpharefine.nets.dimp.network import DimpNet
from alpharefine.training.run import Family
from alpharefine.training.samples import DimpCutter
from alpharefine.training.tasks.dimp.config import DimpRunConfig
from alpharefine.training.tasks.dimp.module import DimpTrainingModule


def _module(network: DimpNet, config: DimpRunConfig) -> DimpTrainingModule:
    return DimpTrainingModule(network, config.losses, config.optim, config.data.clip.train)


def _cutter(config: DimpRunConfig) -> "partial[DimpCutter]":
    return partial(DimpCutter, config.data.clip.train, config.data.crops)


DIMP = Family("DiMP, the base tracker", DimpRunConfig, _module, _cutter)
