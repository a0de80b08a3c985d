"""A training run of Alpha-Refine from its configuration file."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch

from alpharefine.nets.refine import RefineNetConfig
from alpharefine.training.clip_data import ClipDataConfig, clip_samples
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import RefineCropConfig
from alpharefine.training.engine import Observer, train
from alpharefine.training.metrics import Row
from alpharefine.training.refine import RefineLossConfig, RefineOptimConfig, RefineTask
from alpharefine.training.samples import RefineCutter, SampleSet


@dataclass(frozen=True)
class RefineDataConfig(ClipDataConfig):
    """Where pairs come from and how they are made.

    Attributes:
        crops: jitter; the size is the network's.
    """

    crops: RefineCropConfig = field(default_factory=RefineCropConfig)

    def __post_init__(self) -> None:
        if (self.clip.train, self.clip.test) != (1, 1):
            raise ValueError("clip: refinement learns from one train and one test frame")


@dataclass(frozen=True)
class RefineRunConfig:
    """Everything that decides a run: the tables of its TOML file."""

    data: RefineDataConfig
    network: RefineNetConfig = field(default_factory=RefineNetConfig)
    optim: RefineOptimConfig = field(default_factory=RefineOptimConfig)
    losses: RefineLossConfig = field(default_factory=RefineLossConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)


def refine_samples(
    config: RefineDataConfig, root: Path, size: int, seed: int, validation: bool = False
) -> SampleSet:
    """Pairs for training, or the fixed held-out ones, jittered but otherwise unchanged.

    Args:
        config: sources and augmentation.
        root: folder that the sources' paths are relative to.
        size: side of the crops, px.
        seed: of the training pairs.
        validation: which of the two.

    Raises:
        UsageError: a source cannot be read, or nothing is left for this purpose.
    """
    cutter = partial(RefineCutter, replace(config.crops, size=size))
    return clip_samples(config, cutter, root, seed, validation)


def train_refine(
    config: RefineRunConfig, data_root: Path, folder: Path, observer: Observer | None = None
) -> list[Row]:
    """Train a refinement network, or continue the run in `folder`.

    Args:
        config: the recipe.
        data_root: folder that the sources' paths are relative to.
        folder: of the run, see `alpharefine.training.engine.train`.
        observer: told of progress.

    Raises:
        UsageError: data or weights cannot be read, or the run does not fit its folder.
    """
    size, seed = config.network.input_size, config.engine.seed
    torch.manual_seed(seed)
    task = RefineTask(
        config.network,
        config.losses,
        config.optim,
        refine_samples(config.data, data_root, size, seed),
        refine_samples(config.data, data_root, size, seed, validation=True),
    )
    return train(task, config.engine, folder, observer)
