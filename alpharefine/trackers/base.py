"""What every tracker takes and gives: the `Tracker` protocol and the `Estimate` it returns."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alpharefine.geometry.boxes import Box

Image = NDArray[np.uint8]
"""RGB image, H x W x 3, 0..255."""

Mask = NDArray[np.uint8]
"""Binary mask of an image, H x W, values {0, 1}, C-contiguous."""


class Flag(Enum):
    """Decision of the localisation step (DiMP, `advanced_localization`)."""

    NORMAL = "normal"
    HARD_NEGATIVE = "hard_negative"
    UNCERTAIN = "uncertain"
    NOT_FOUND = "not_found"


class Fallback(Enum):
    """Part of a frame's computation that gave no usable numbers, so that its last state was kept.

    The values name several of them, as they are counted in logs.
    """

    SCORES = "score maps that are not finite"
    FILTER = "filter updates that are not finite"
    BOX = "box refinements without a usable box"
    REFINED_BOX = "refined boxes that are inverted, tiny or not finite"
    MASK = "masks that are not finite"
    CROP = "boxes too large to be refined"
    MEMORY = "frames repeated for want of memory"


@dataclass(frozen=True)
class Estimate:
    """A tracker's answer for one frame.

    Attributes:
        box: target box in image pixels, the best that the tracker has.
        mask: target mask of the full image, or None when the tracker makes none.
        score: confidence of the base tracker, its own unit; `confidence` in [0, 1] is its clip.
        flag: localisation decision; trackers without one answer `Flag.NORMAL`.
        fallbacks: what was left out in this frame, or in the initialisation before it.
    """

    box: Box
    mask: Mask | None
    score: float
    flag: Flag = Flag.NORMAL
    fallbacks: frozenset[Fallback] = frozenset()

    @property
    def confidence(self) -> float:
        """Score clipped to [0, 1]; 0 when the score is not a number."""
        return min(max(self.score, 0.0), 1.0) if self.score == self.score else 0.0


class Tracker(Protocol):
    """A single-object tracker."""

    def initialize(self, image: Image, target: Box) -> None:
        """Start on the target that `target` encloses in `image`; may be called again at any time.

        Raises:
            UsageError: the target box is empty or not finite.
        """
        ...

    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        ...

    def set_state(self, box: Box) -> None:
        """Replace position and size by those of `box`, so that a refined box can be fed back."""
        ...
