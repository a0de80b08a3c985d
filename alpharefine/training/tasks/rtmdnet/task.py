"""RT-MDNet as a family that can be trained."""

from functools import partial

from alpharefine.nets.mdnet.network import PyramidMdNet
from alpharefine.training.run import Family
from alpharefine.training.tasks.rtmdnet.config import RtMdNetRunConfig
from alpharefine.training.tasks.rtmdnet.crops import SceneCutter
from alpharefine.training.tasks.rtmdnet.module import RtMdNetModule


def _module(network: PyramidMdNet, config: RtMdNetRunConfig) -> RtMdNetModule:
    return RtMdNetModule(network, config.losses, config.optim, config.data.clip.train)


def _cutter(config: RtMdNetRunConfig) -> "partial[SceneCutter]":
    return partial(SceneCutter, config.data.crops)


RTMDNET = Family("RT-MDNet", RtMdNetRunConfig, _module, _cutter)
