"""A training run of Alpha-Refine from its configuration file."""

import copy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.training.clip_data import ClipDataConfig, clip_samples
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import RefineCropConfig
from alpharefine.training.engine import Observer, train
from alpharefine.training.feature_cache import CachedSamples, fill_cache
from alpharefine.training.metrics import Row
from alpharefine.training.refine import (
    RefineLossConfig,
    RefineOptimConfig,
    RefineTask,
    RefineTrainingModule,
    build_refine_module,
)
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
    module = build_refine_module(config.network, config.losses, config.optim)
    training: Dataset[dict[str, Tensor]] = refine_samples(config.data, data_root, size, seed)
    if config.optim.cached_samples:
        cache = folder / "features"
        _fill_cache(training, module, config, cache)
        training = CachedSamples(cache, seed, endless=True)
    validation = refine_samples(config.data, data_root, size, seed, validation=True)
    return train(
        RefineTask(module, config.optim, training, validation), config.engine, folder, observer
    )


def _fill_cache(
    samples: Dataset[dict[str, Tensor]],
    module: RefineTrainingModule,
    config: RefineRunConfig,
    folder: Path,
) -> None:
    runtime = Runtime(resolve_runtime(config.engine.device).device, torch.float32)
    encoder = copy.deepcopy(module).to(runtime.device).eval()
    encoder.network = runtime.prepare(encoder.network)
    fill_cache(samples, config.optim.cached_samples, encoder.encode, folder, config.engine.workers)
