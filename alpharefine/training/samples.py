"""Endless training samples for a data loader: sample n is the same whenever it is drawn."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from alpharefine.data.images import FrameError, SkipCounter
from alpharefine.data.source import TrainFrame
from alpharefine.errors import UsageError
from alpharefine.training.crops import (
    AppearanceConfig,
    DimpCropConfig,
    RefineCropConfig,
    Sample,
    dimp_sample,
    refine_sample,
)
from alpharefine.training.sampling import ClipSampler

_ATTEMPTS = 100

Cutter = Callable[[list[TrainFrame], np.random.Generator], Sample]
"""Makes a sample of a clip."""


@dataclass(frozen=True)
class RefineCutter:
    """Cuts Alpha-Refine's pairs: see `alpharefine.training.crops.refine_sample`."""

    config: RefineCropConfig
    appearance: AppearanceConfig

    def __call__(self, frames: list[TrainFrame], rng: np.random.Generator) -> Sample:
        """Sample of a clip of two frames."""
        return refine_sample(frames, self.config, self.appearance, rng)


@dataclass(frozen=True)
class DimpCutter:
    """Cuts DiMP's samples: see `alpharefine.training.crops.dimp_sample`."""

    train: int
    config: DimpCropConfig
    appearance: AppearanceConfig

    def __call__(self, frames: list[TrainFrame], rng: np.random.Generator) -> Sample:
        """Sample of a clip whose first `train` frames are training frames."""
        return dimp_sample(frames, self.train, self.config, self.appearance, rng)


class SampleSet(Dataset[dict[str, Tensor]]):
    """Samples by number; number n depends on the seed and n alone.

    So a run resumes bit-exactly from the number it stopped at, whatever the workers, and
    processes that take disjoint numbers see disjoint samples. Images are uint8: normalize them on
    the device.

    Args:
        sampler: draws clips.
        cut: makes a sample of a clip.
        seed: of all samples.
        length: number of samples.
    """

    def __init__(self, sampler: ClipSampler, cut: Cutter, seed: int, length: int = 2**40) -> None:
        self._sampler = sampler
        self._cut = cut
        self._seed = seed
        self._length = length
        self._skips = SkipCounter("training samples")

    def __len__(self) -> int:
        """Number of samples, practically endless by default."""
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample `index`; unusable draws are counted and repeated.

        Raises:
            UsageError: nothing usable is found.
        """
        if not 0 <= index < self._length:
            raise IndexError(index)
        rng = np.random.default_rng((self._seed, index))
        for _ in range(_ATTEMPTS):
            try:
                sample = self._cut(self._sampler.draw(rng), rng)
            except FrameError as error:
                self._skips.add(error)
                continue
            return {name: torch.from_numpy(value) for name, value in sample.items()}
        raise UsageError(f"no usable training sample in {_ATTEMPTS} draws; check the data sets")


def init_worker(worker: int) -> None:
    """Keep OpenCV to one thread in a data loader's worker: there is one worker for each core."""
    cv2.setNumThreads(0)
