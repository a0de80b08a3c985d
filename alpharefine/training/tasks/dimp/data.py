"""DiMP's samples: search crops of a few training and a few test frames."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from alpharefine.training.clip_data import ClipDataConfig, clip_samples
from alpharefine.training.crops import DimpCropConfig
from alpharefine.training.samples import DimpCutter, SampleSet
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.synthesis import DIMP_SYNTHESIS, SynthesisConfig


@dataclass(frozen=True)
class DimpDataConfig(ClipDataConfig):
    """Where DiMP's clips come from and how they are made; the defaults are super_dimp's.

    Attributes:
        clip: how many frames, and how far apart.
        synthesis: how still images become clips, and what is pasted into any clip; an addition.
        crops: size and jitter.

    Source: the published super_dimp settings.
    """

    clip: ClipConfig = field(default_factory=lambda: ClipConfig(train=3, test=3, max_gap=200))
    synthesis: SynthesisConfig = DIMP_SYNTHESIS
    crops: DimpCropConfig = field(default_factory=DimpCropConfig)


def dimp_samples(
    config: DimpDataConfig, root: Path, seed: int, validation: bool = False
) -> SampleSet:
    """Samples of `config.clip.train` training, then `config.clip.test` test crops.

    See `alpharefine.training.crops.dimp_sample` for their arrays and `clip_samples` for the rest.
    """
    cutter = partial(DimpCutter, config.clip.train, config.crops)
    return clip_samples(config, cutter, root, seed, validation)
