"""A tracker on its way through frames: what it is given is checked, its last answer is kept."""

import math
from dataclasses import replace

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.inputs import BoxLike, ImageLike, as_box, as_image
from alpharefine.types import Box, Estimate, Mask, Tracker

UNREADABLE = "unreadable frames"
"""Fallback of an answer that was kept because the frame could not be read."""

INVALID = "invalid estimates"
"""Fallback of an answer that was kept because the tracker's own has no finite box."""

KEPT = frozenset({UNREADABLE, INVALID})


class TrackingSession:
    """Any tracker, with its inputs checked and without holes in its answers.

    A frame that could not be read, and an answer without a mask whose box is not finite, keep the
    last good answer: lost, with confidence 0, and with one of `KEPT` among its fallbacks.

    Args:
        tracker: what does the work.

    Attributes:
        tracker: the same.

    Example:
        >>> import numpy as np
        >>> class Still:
        ...     def initialize(self, image, target): self.box = target
        ...     def track(self, image): return Estimate(self.box)
        ...     def set_state(self, box): self.box = box
        >>> session = TrackingSession(Still())
        >>> session.initialize(np.zeros((90, 120, 3), np.uint8), (10, 20, 30, 40)).confidence
        1.0
        >>> session.track(None).lost
        True
    """

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self._last: Estimate | None = None

    def initialize(self, image: ImageLike, target: BoxLike, mask: Mask | None = None) -> Estimate:
        """Start on a target; may be called again at any time.

        Args:
            image: H x W x 3 uint8 RGB, or the path of an image file.
            target: (x, y, w, h) around the target, image px.
            mask: of the target in the whole image, where it is known; only answered.

        Returns:
            The target as it was given, with confidence 1.

        Raises:
            UsageError: the image is of another kind or cannot be read; the box is no target.
        """
        checked, box = as_image(image), as_box(target)
        self.tracker.initialize(checked, box)
        self._last = Estimate(box, mask)
        return self._last

    def track(self, image: ImageLike | None) -> Estimate:
        """Find the target in the next frame.

        Args:
            image: as of `initialize`; None stands for a frame that could not be read.

        Raises:
            UsageError: before `initialize`; the image is of another kind or cannot be read.
        """
        if self._last is None:
            raise UsageError("the tracker has no target yet: call initialize(image, box) first")
        if image is None:
            return self._kept(UNREADABLE)
        estimate = self.tracker.track(as_image(image))
        if not _is_sane(estimate.box):
            if estimate.mask is None:
                return self._kept(INVALID, *estimate.fallbacks)
            box = mask_to_box(estimate.mask) or self._last.box
            estimate = replace(estimate, box=box)
        self._last = estimate
        return estimate

    def set_state(self, box: BoxLike) -> None:
        """Go on from `box` (x, y, w, h), image px.

        Raises:
            UsageError: before `initialize`, or the box is not one.
        """
        if self._last is None:
            raise UsageError("the tracker has no target yet: call initialize(image, box) first")
        self.tracker.set_state(as_box(box))

    def _kept(self, *fallbacks: str) -> Estimate:
        assert self._last is not None
        return replace(self._last, confidence=0.0, lost=True, fallbacks=frozenset(fallbacks))


def _is_sane(box: Box) -> bool:
    return all(map(math.isfinite, box)) and box.w >= 0 and box.h >= 0
