"""ATOM as a family that can be trained."""

from functools import partial

from alpharefine.nets.atom.network import AtomNet
from alpharefine.training.run import Family
from alpharefine.training.samples import DimpCutter
from alpharefine.training.tasks.atom.config import AtomRunConfig
from alpharefine.training.tasks.atom.module import AtomTrainingModule


def _module(network: AtomNet, config: AtomRunConfig) -> AtomTrainingModule:
    return AtomTrainingModule(network, config.losses, config.optim, config.data.clip.train)


def _cutter(config: AtomRunConfig) -> "partial[DimpCutter]":
    return partial(DimpCutter, config.data.clip.train, config.data.crops)


ATOM = Family("ATOM's box regressor", AtomRunConfig, _module, _cutter)
