"""Data of a run: which clips it draws, and how they become training and validation samples."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from alpharefine.data.stills import ImageFolder
from alpharefine.training.crops import PLAIN, AppearanceConfig
from alpharefine.training.samples import Cutter, SampleSet
from alpharefine.training.sampling import ClipConfig, ClipSampler
from alpharefine.training.sources import HoldOut, SourceConfig, read_groups
from alpharefine.training.synthesis import SynthesisConfig

_VALIDATION_SEED = 1_000_003


@dataclass(frozen=True)
class ClipDataConfig:
    """Where clips come from and how they are changed.

    Attributes:
        sources: data sets.
        backgrounds: folder of images for cut and paste, relative to the data root; None: sources.
        held_out: what is kept for validation.
        validation_samples: number of fixed validation samples.
        clip: how many frames, and how far apart.
        synthesis: how still images become clips, and what is pasted into any clip.
        appearance: colors and sharpness.
    """

    sources: tuple[SourceConfig, ...]
    backgrounds: str | None = None
    held_out: HoldOut = field(default_factory=HoldOut)
    validation_samples: int = 256
    clip: ClipConfig = field(default_factory=ClipConfig)
    synthesis: SynthesisConfig = field(default_factory=SynthesisConfig)
    appearance: AppearanceConfig = field(default_factory=AppearanceConfig)


def clip_samples(
    config: ClipDataConfig,
    cutter: Callable[[AppearanceConfig], Cutter],
    root: Path,
    seed: int,
    validation: bool = False,
) -> SampleSet:
    """Samples for training, or the fixed held-out ones: jittered, but otherwise unchanged.

    Args:
        config: sources and augmentation.
        cutter: gives what makes a sample of a clip with these colors and this sharpness.
        root: folder that the sources' paths are relative to.
        seed: of the training samples.
        validation: which of the two.

    Raises:
        UsageError: a source cannot be read, or nothing is left for this purpose.
    """
    groups = read_groups(config.sources, root, config.held_out, validation)
    if validation:
        calm = replace(
            config.synthesis, paste=0.0, distractors=(1.0,), occluder=0.0, video_motion=0.0
        )
        sampler = ClipSampler(groups, config.clip, calm)
        return SampleSet(sampler, cutter(PLAIN), _VALIDATION_SEED, config.validation_samples)
    backgrounds = None if config.backgrounds is None else ImageFolder(root / config.backgrounds)
    sampler = ClipSampler(groups, config.clip, config.synthesis, backgrounds)
    return SampleSet(sampler, cutter(config.appearance), seed)
