"""What everybody here speaks: boxes, images, masks, estimates, and the `Tracker` protocol."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""RGB image, H x W x 3, 0..255."""

Mask = NDArray[np.uint8]
"""Binary mask of an image, H x W, values {0, 1}, C-contiguous."""


class Box(NamedTuple):
    """Axis-aligned box in image pixels: float top-left corner (x, y), width and height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def is_valid(self) -> bool:
        """All four numbers are finite and both sides positive."""
        return all(math.isfinite(v) for v in self) and self.w > 0 and self.h > 0


@dataclass(frozen=True)
class Estimate:
    """A tracker's answer for one frame.

    Attributes:
        box: target box in image pixels, the best that the tracker has, also where it is lost.
        mask: target mask of the full image, or None when the tracker makes none.
        confidence: 0..1. Any number may be given: it is clipped, and what is no number becomes 0.
        lost: the tracker says that it has not found the target in this frame.
        ambiguous: something else in this frame looks much like the target.
        fallbacks: what gave no usable numbers in this frame, or in the initialization before it,
            so that the last state was kept; each in words that name several of its kind.
        absent: the target is taken to be out of sight; trackers say so only where they are asked to
            decide it (`alpharefine.multi`).
    """

    box: Box
    mask: Mask | None = None
    confidence: float = 1.0
    lost: bool = False
    ambiguous: bool = False
    fallbacks: frozenset[str] = frozenset()
    absent: bool = False

    def __post_init__(self) -> None:
        given = self.confidence
        clipped = min(max(given, 0.0), 1.0) if given == given else 0.0
        object.__setattr__(self, "confidence", clipped)


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


@runtime_checkable
class MultiTracker(Protocol):
    """A tracker of several objects in one video, which it answers in the order they came in."""

    def initialize(self, image: Image, targets: Sequence[Box]) -> None:
        """Start on k targets in `image`, none of what was before; may be called again at any time.

        Raises:
            UsageError: a target box is empty or not finite.
        """
        ...

    def add(self, image: Image, targets: Sequence[Box]) -> None:
        """Follow further targets, which are in `image`, the last frame that was given.

        Raises:
            UsageError: a target box is empty or not finite.
        """
        ...

    def track(self, image: Image) -> list[Estimate]:
        """Find the k targets in the next frame."""
        ...


@runtime_checkable
class NetworkTracker(Tracker, Protocol):
    """A tracker whose network can be run alone, which its speed is compared with."""

    def search_pass(self) -> None:
        """The network's part of a frame, on an empty search region; after `initialize`."""
        ...


@runtime_checkable
class ResumableTracker(Tracker, Protocol):
    """A tracker whose run can be taken up again, by itself or by its like on another device."""

    def snapshot(self) -> Any:
        """Everything that the next `track` depends on; None if that cannot be told.

        Later frames leave it as it is, but for samples that a frame which failed has overwritten:
        these are written again when the frame is repeated.
        """
        ...

    def resume(self, snapshot: Any) -> None:
        """Go on from a snapshot of this tracker or of one with the same configuration."""
        ...
