"""A training run of Alpha-Refine from its configuration file."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from alpharefine.nets.refine import RefineNetConfig
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import PLAIN, AppearanceConfig, RefineCropConfig
from alpharefine.training.data.groups import HoldOut, SourceConfig, read_groups
from alpharefine.training.data.stills import ImageFolder
from alpharefine.training.engine import Observer, train
from alpharefine.training.metrics import Row
from alpharefine.training.refine import RefineLossConfig, RefineOptimConfig, RefineTask
from alpharefine.training.samples import RefineCutter, SampleSet
from alpharefine.training.sampling import ClipConfig, ClipSampler
from alpharefine.training.synthesis import SynthesisConfig

_VALIDATION_SEED = 1_000_003


@dataclass(frozen=True)
class RefineDataConfig:
    """Where pairs come from and how they are made.

    Attributes:
        sources: data sets.
        backgrounds: folder of images for cut and paste, relative to the data root; None: sources.
        held_out: what is kept for validation.
        validation_pairs: number of fixed validation pairs.
        clip: how far apart the two frames are.
        synthesis: how still images become pairs, and what is pasted into any pair.
        crops: jitter; the size is the network's.
        appearance: colours and sharpness.
    """

    sources: tuple[SourceConfig, ...]
    backgrounds: str | None = None
    held_out: HoldOut = field(default_factory=HoldOut)
    validation_pairs: int = 256
    clip: ClipConfig = field(default_factory=ClipConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    crops: RefineCropConfig = field(default_factory=RefineCropConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)


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
    groups = read_groups(config.sources, root, config.held_out, validation)
    crops = replace(config.crops, size=size)
    if validation:
        calm = replace(
            config.synthesis, paste=0.0, distractors=(1.0,), occluder=0.0, video_motion=0.0
        )
        sampler = ClipSampler(groups, config.clip, calm)
        cutter = RefineCutter(crops, PLAIN)
        return SampleSet(sampler, cutter, _VALIDATION_SEED, config.validation_pairs)
    backgrounds = None if config.backgrounds is None else ImageFolder(root / config.backgrounds)
    sampler = ClipSampler(groups, config.clip, config.synthesis, backgrounds)
    return SampleSet(sampler, RefineCutter(crops, config.appearance), seed)


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
