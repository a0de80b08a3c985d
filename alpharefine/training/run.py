"""A training run of any family of networks: samples, cached features, the engine."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.training.config import EngineConfig, load_config
from alpharefine.training.engine import Observer, TrainingTask, train
from alpharefine.training.feature_cache import CachedSamples, Encoder, fill_cache
from alpharefine.training.metrics import Row
from alpharefine.training.samples import SampleSet


class OptimConfig(Protocol):
    """What a recipe's table `optim` says in every family."""

    @property
    def cached_samples(self) -> int:
        """0, or train a frozen backbone's features of so many samples, kept on disk."""
        ...


class RunConfig(Protocol):
    """Everything that decides a run: the tables of its TOML file."""

    @property
    def optim(self) -> OptimConfig:
        """What is learned, and how fast."""
        ...

    @property
    def engine(self) -> EngineConfig:
        """Steps, batches, device, seed."""
        ...


class TrainingModule(nn.Module):
    """A network with the losses that it is trained by.

    Attributes:
        network: what is trained and exported.
    """

    network: nn.Module

    def encode(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """What is kept of a batch when the features of frozen parts are cached."""
        raise NotImplementedError(f"{type(self).__name__} has no features to cache")


@dataclass(frozen=True)
class DrawnSamples:
    """Samples of a run.

    Attributes:
        training: what is learned from, images or cached features.
        validation: held-out samples, of the same kind where the family says so.
        shown: held-out samples with images, for pictures.
    """

    training: Dataset[dict[str, Tensor]]
    validation: Dataset[dict[str, Tensor]]
    shown: SampleSet


_Config = TypeVar("_Config", bound=RunConfig)
_Module = TypeVar("_Module", bound="TrainingModule")


@dataclass(frozen=True)
class Family(Generic[_Config, _Module]):
    """What differs between the families of networks that are trained.

    Attributes:
        title: in words.
        config_type: of a recipe.
        build: the module that is trained.
        draw: samples of a recipe; data root, and whether those held out for validation.
        task: what the engine trains.
        caches_validation: whether the held-out samples are cached features, too.
    """

    title: str
    config_type: type[_Config]
    build: Callable[[_Config], _Module]
    draw: Callable[[_Config, Path, bool], SampleSet]
    task: Callable[[_Module, _Config, DrawnSamples], TrainingTask]
    caches_validation: bool = False


def train_family(
    family: Family[_Config, _Module],
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
    module = family.build(config)
    drawn = family.draw(config, data_root, False)
    held_out = family.draw(config, data_root, True)
    samples = DrawnSamples(drawn, held_out, held_out)
    if config.optim.cached_samples:
        samples = _cached(samples, module, config, folder / "features", family.caches_validation)
    return train(family.task(module, config, samples), config.engine, folder, observer)


def train_recipe(
    family: Family[Any, Any],
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
    samples: DrawnSamples, module: TrainingModule, config: RunConfig, folder: Path, validation: bool
) -> DrawnSamples:
    """The samples with the frozen part of the network computed once."""
    encode, engine = _encoder(module, config.engine), config.engine
    count = config.optim.cached_samples
    fill_cache(samples.training, count, encode, folder / "training", engine.workers)
    training = CachedSamples(folder / "training", engine.seed, endless=True)
    if not validation:
        return DrawnSamples(training, samples.validation, samples.shown)
    count = len(samples.shown)
    fill_cache(samples.shown, count, encode, folder / "validation", engine.workers)
    held_out = CachedSamples(folder / "validation", engine.seed, endless=False)
    return DrawnSamples(training, held_out, samples.shown)


def _encoder(module: TrainingModule, config: EngineConfig) -> Encoder:
    """The frozen part as inference runs it, which is faster."""
    runtime = Runtime(resolve_runtime(config.device).device, torch.float32)
    encoder = copy.deepcopy(module).to(runtime.device).eval()
    encoder.network = runtime.prepare(encoder.network)
    return encoder.encode
