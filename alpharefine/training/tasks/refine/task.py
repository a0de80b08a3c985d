"""Alpha-Refine as a family that can be trained."""

from dataclasses import replace
from functools import partial

from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.training.run import Family
from alpharefine.training.samples import RefineCutter
from alpharefine.training.tasks.refine.config import RefineRunConfig
from alpharefine.training.tasks.refine.module import RefineTrainingModule


def _module(network: RefineNetwork, config: RefineRunConfig) -> RefineTrainingModule:
    return RefineTrainingModule(network, config.losses, config.optim)


def _cutter(config: RefineRunConfig) -> "partial[RefineCutter]":
    return partial(RefineCutter, replace(config.data.crops, size=config.network.input_size))


REFINE = Family("Alpha-Refine", RefineRunConfig, _module, _cutter)
