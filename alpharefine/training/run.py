"""A training run of any family of networks: samples, cached features, the engine."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from alpharefine.nets.spec import NetworkConfig
from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.training.clip_data import ClipDataConfig, clip_samples
from alpharefine.training.config import EngineConfig, load_config
from alpharefine.training.crops import AppearanceConfig
from alpharefine.training.engine import train
from alpharefine.training.exports import begin_with, open_initial
from alpharefine.training.feature_cache import CachedSamples, Encoder, fill_cache
from alpharefine.training.interface import Observer
from alpharefine.training.metrics import Row
from alpharefine.training.module import TrainingModule
from alpharefine.training.pretrained import load_imagenet_weights
from alpharefine.training.samples import Cutter, SampleSet
from alpharefine.training.task import DrawnSamples, ModuleTask


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """What every recipe says of the beginning, beside the learning rates of its parts.

    Attributes:
        imagenet: begin with the backbone's ImageNet weights.
        initial: registered weights, or the export of an earlier run, to begin with: all of it where
            the networks are the same, else its backbone.
        freeze_norm: keep the batch statistics of the whole backbone.
        cached_samples: 0, or train on a frozen backbone's features of so many samples, kept on
            disk.
    """

    imagenet: bool = True
    initial: str | None = None
    freeze_norm: bool = False
    cached_samples: int = 0


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides a run: the tables of its TOML file.

    Each family has its own tables.

    Attributes:
        data: where samples come from.
        network: what is trained.
        optim: what is learned, and how fast.
        losses: what is minimized.
        engine: steps, batches, device, seed.
    """

    data: ClipDataConfig
    network: NetworkConfig
    optim: OptimConfig
    losses: Any
    engine: EngineConfig = field(default_factory=EngineConfig)


_Config = TypeVar("_Config", bound=RunConfig)


@dataclass(frozen=True)
class Family(Generic[_Config]):
    """What differs between the families of networks that are trained.

    Attributes:
        title: in words.
        config_type: of a recipe.
        module: the network of a recipe as it is trained.
        cutter: gives, for some colors and sharpness, what makes a sample of a clip.
    """

    title: str
    config_type: type[_Config]
    module: Callable[[Any, _Config], TrainingModule]
    cutter: Callable[[_Config], Callable[[AppearanceConfig], Cutter]]


def build_module(family: Family[_Config], config: _Config) -> TrainingModule:
    """A network to train, filled as `config.optim` says.

    Raises:
        UsageError: the weights to begin with are not to be had.
    """
    network = config.network.build()
    module = family.module(network, config)
    if config.optim.initial is not None:
        begin_with(network, config.network, config.optim.initial)
    elif config.optim.imagenet:
        load_imagenet_weights(network.get_submodule("backbone"), module.input_spec)
    return module


def draw_samples(
    family: Family[_Config], config: _Config, data_root: Path, validation: bool = False
) -> SampleSet:
    """Samples of a recipe, for training or the fixed held-out ones; see `clip_samples`."""
    return clip_samples(
        config.data, family.cutter(config), data_root, config.engine.seed, validation
    )


def check_inputs(family: Family[_Config], config: _Config, data_root: Path) -> None:
    """Check that a recipe's data and the weights that it begins with are there.

    Args:
        family: of the network.
        config: the recipe.
        data_root: folder that the sources' paths are relative to.

    Raises:
        UsageError: they are not, or cannot be read.
    """
    if config.optim.initial is not None:
        open_initial(config.optim.initial)
    for validation in (True, False):
        draw_samples(family, config, data_root, validation)


def train_family(
    family: Family[_Config],
    config: _Config,
    data_root: Path,
    folder: Path,
    observer: Observer | None = None,
) -> list[Row]:
    """Train a network, or continue the run in `folder`.

    Args:
        family: of the network.
        config: the recipe.
        data_root: folder that the sources' paths are relative to.
        folder: of the run, see `alpharefine.training.engine.train`.
        observer: told of progress.

    Raises:
        UsageError: data or weights cannot be read, or the run does not fit its folder.
    """
    torch.manual_seed(config.engine.seed)
    module = build_module(family, config)
    held_out = draw_samples(family, config, data_root, validation=True)
    samples = DrawnSamples(draw_samples(family, config, data_root), held_out, held_out)
    if config.optim.cached_samples:
        samples = _cached(samples, module, config, folder / "features")
    task = ModuleTask(module, samples, config.engine.batch_size)
    return train(task, config.engine, folder, observer)


def train_recipe(
    family: Family[Any],
    recipe: Path,
    data_root: Path,
    folder: Path,
    observer: Observer | None = None,
) -> list[Row]:
    """As `train_family`, from a recipe's file.

    Raises:
        UsageError: also where the recipe is not one of the family.
    """
    config = load_config(recipe, family.config_type)
    return train_family(family, config, data_root, folder, observer)


def _cached(
    samples: DrawnSamples, module: TrainingModule, config: RunConfig, folder: Path
) -> DrawnSamples:
    """The samples with the frozen part of the network computed once."""
    encode, engine = _encoder(module, config.engine), config.engine
    fill_cache(
        samples.training, config.optim.cached_samples, encode, folder / "training", engine.workers
    )
    fill_cache(samples.shown, len(samples.shown), encode, folder / "validation", engine.workers)
    return DrawnSamples(
        CachedSamples(folder / "training", engine.seed, endless=True),
        CachedSamples(folder / "validation", engine.seed, endless=False),
        samples.shown,
    )


def _encoder(module: TrainingModule, config: EngineConfig) -> Encoder:
    """The frozen part as inference runs it, which is faster."""
    runtime = Runtime(resolve_runtime(config.device).device, torch.float32)
    encoder = copy.deepcopy(module).to(runtime.device).eval()
    prepared: nn.Module = runtime.prepare(encoder.network)
    encoder.network = prepared
    return encoder.encode
