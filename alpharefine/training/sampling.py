"""Drawing training clips: which source, which target, which frames, and what is changed in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.data.stills import ImageFolder
from alpharefine.errors import UsageError
from alpharefine.training.sources import SourceGroup
from alpharefine.training.synthesis import (
    SynthesisConfig,
    add_objects,
    animate_still,
    flip_clip,
    move_clip,
)
from alpharefine.types import Image

_BACKGROUND_SHARE = 0.5


@dataclass(frozen=True)
class ClipConfig:
    """Which frames of a sequence make a clip.

    Attributes:
        train: frames the tracker learns the target from; the first is never occluded on purpose.
        test: frames it must find it in.
        max_gap: frames between the first training frame and any other, at most.
        causal: test frames come after the first training frame, the other training frames not.

    Source: Alpha-Refine, section 3.4 (1 + 1 frames, 50 apart); super_dimp's settings (3 + 3, 200).
    """

    train: int = 1
    test: int = 1
    max_gap: int = 50
    causal: bool = False

    def __post_init__(self) -> None:
        if min(self.train, self.test, self.max_gap) < 1:
            raise ValueError("train, test and max_gap must be 1 or more")

    @property
    def count(self) -> int:
        """Frames of a clip."""
        return self.train + self.test


def draw_times(
    visible: NDArray[np.bool_], config: ClipConfig, rng: np.random.Generator
) -> list[int]:
    """Frame numbers of a clip, training frames first, all of them visible.

    Frames repeat only where the sequence has too few.

    Args:
        visible: bool per frame.
        config: how many frames and how far apart.
        rng: source of randomness.

    Raises:
        FrameError: no frame is visible.
    """
    numbers = np.flatnonzero(visible)
    if numbers.size == 0:
        raise FrameError("the target is visible in no frame")
    first = int(rng.choice(numbers))
    near = numbers[(np.abs(numbers - first) <= config.max_gap) & (numbers != first)]
    if not config.causal:
        return [first, *_choose(near, first, config.count - 1, rng)]
    before = _choose(near[near < first], first, config.train - 1, rng)
    return [first, *before, *_choose(near[near > first], first, config.test, rng)]


def _choose(
    numbers: NDArray[np.int64], spare: int, count: int, rng: np.random.Generator
) -> list[int]:
    if numbers.size == 0:
        return [spare] * count
    return [int(n) for n in rng.choice(numbers, count, replace=numbers.size < count)]


class ClipSampler:
    """Draws clips from weighted sources; picklable and without state.

    Args:
        groups: sources; each is chosen in proportion to its weight, its targets evenly.
        clip: frames of a clip.
        synthesis: how stills become clips and what is pasted.
        backgrounds: images for cut and paste; None takes those of the sources alone.

    Raises:
        UsageError: no source has a positive weight.
    """

    def __init__(
        self,
        groups: Sequence[SourceGroup],
        clip: ClipConfig,
        synthesis: SynthesisConfig,
        backgrounds: ImageFolder | None = None,
    ) -> None:
        weights = np.array([group.weight for group in groups], dtype=np.float64)
        if not groups or weights.min() < 0 or weights.sum() <= 0:
            raise UsageError("training needs a source with a positive weight; set one in sources")
        self._groups = list(groups)
        self._chances = weights / weights.sum()
        self._clip = clip
        self._synthesis = synthesis
        self._backgrounds = backgrounds

    def draw(self, rng: np.random.Generator) -> list[TrainFrame]:
        """A clip: `clip.train` training frames, then `clip.test` test frames.

        Raises:
            FrameError: a file is broken, or the target cannot be seen; draw again.
        """
        number = int(rng.choice(len(self._groups), p=self._chances))
        group = self._groups[number]
        index = int(rng.choice(group.indices))
        info = group.source.sequence(index)
        material = _Material(self._groups, number, self._chances, self._backgrounds)
        if len(info) == 1:
            still = group.source.frame(index, 0)
            frames = animate_still(
                still, self._clip.count, group.isolated, material, self._synthesis, rng
            )
        else:
            frames = self._real_clip(group, index, rng)
        frames = add_objects(frames, material, self._synthesis, rng)
        return flip_clip(frames) if rng.random() < 0.5 else frames

    def _real_clip(
        self, group: SourceGroup, index: int, rng: np.random.Generator
    ) -> list[TrainFrame]:
        info = group.source.sequence(index)
        clip = self._clip
        if group.max_gap is not None:
            clip = replace(clip, max_gap=group.max_gap)
        times = draw_times(info.visible, clip, rng)
        frames = [group.source.frame(index, t) for t in times]
        if rng.random() < self._synthesis.video_motion:
            return move_clip(frames, self._synthesis.motion, rng)
        return frames


@dataclass(frozen=True)
class _Material:
    """Backgrounds and other objects for one clip, taken from all sources."""

    groups: Sequence[SourceGroup]
    own: int
    chances: NDArray[np.float64]
    backgrounds: ImageFolder | None

    def background(self, rng: np.random.Generator) -> Image:
        """See `alpharefine.training.synthesis.Material`."""
        if self.backgrounds is not None and rng.random() < _BACKGROUND_SHARE:
            return self.backgrounds.image(int(rng.integers(len(self.backgrounds))))
        scenes = [k for k, group in enumerate(self.groups) if not group.isolated]
        if scenes:
            return self._frame(self.groups[int(rng.choice(scenes))], rng).image
        if self.backgrounds is None:
            raise UsageError("isolated objects need backgrounds; name a folder of images")
        return self.backgrounds.image(int(rng.integers(len(self.backgrounds))))

    def other_object(self, alike: bool, rng: np.random.Generator) -> TrainFrame | None:
        """See `alpharefine.training.synthesis.Material`."""
        number = self.own if alike else int(rng.choice(len(self.groups), p=self.chances))
        frame = self._frame(self.groups[number], rng)
        return None if frame.mask is None else frame

    def _frame(self, group: SourceGroup, rng: np.random.Generator) -> TrainFrame:
        index = int(rng.choice(group.indices))
        visible = np.flatnonzero(group.source.sequence(index).visible)
        if visible.size == 0:
            raise FrameError("the target is visible in no frame")
        return group.source.frame(index, int(rng.choice(visible)))
