"""A tracker on its way through frames: what it is given is checked, its last answer is kept."""

import math
from collections.abc import Sequence
from dataclasses import replace

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.inputs import BoxLike, ImageLike, as_box, as_image
from alpharefine.types import Box, Estimate, Mask, MultiTracker, Tracker

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
            return kept(self._last, UNREADABLE)
        estimate = with_sane_box(self.tracker.track(as_image(image)), self._last)
        if not estimate.fallbacks & KEPT:
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


class MultiTrackingSession:
    """Any tracker of several objects, with what `TrackingSession` does for each of them.

    Args:
        tracker: what does the work.
    """

    def __init__(self, tracker: MultiTracker) -> None:
        self.tracker = tracker
        self._last: list[Estimate] = []

    def initialize(
        self, image: ImageLike, targets: Sequence[BoxLike], masks: Sequence[Mask | None] = ()
    ) -> list[Estimate]:
        """Start on targets, none of what was before; see `TrackingSession.initialize`."""
        checked, boxes = as_image(image), [as_box(target) for target in targets]
        self.tracker.initialize(checked, boxes)
        self._last = _given(boxes, masks)
        return list(self._last)

    def track(
        self,
        image: ImageLike | None,
        new: Sequence[BoxLike] = (),
        masks: Sequence[Mask | None] = (),
    ) -> list[Estimate]:
        """Find the targets in the next frame, and begin to follow new ones in it.

        Args:
            image: as of `initialize`; None stands for a frame that could not be read.
            new: targets that this frame is the first one of.
            masks: of the new targets, where they are known; only answered.

        Returns:
            An estimate for each target in the order they came in, those of the new ones last.

        Raises:
            UsageError: before `initialize`; the image is of another kind or cannot be read; there
                are new targets in a frame that could not be read.
        """
        if not self._last:
            raise UsageError("the tracker has no target yet: call initialize(image, boxes) first")
        if image is None:
            if new:
                raise UsageError("a frame with a new target cannot be read: check the file")
            return [kept(last, UNREADABLE) for last in self._last]
        checked, boxes = as_image(image), [as_box(target) for target in new]
        pairs = zip(self.tracker.track(checked), self._last, strict=True)
        estimates = [with_sane_box(estimate, last) for estimate, last in pairs]
        if boxes:
            self.tracker.add(checked, boxes)
            estimates += _given(boxes, masks)
        known = [*self._last, *estimates[len(self._last) :]]
        self._last = [
            last if estimate.fallbacks & KEPT else estimate
            for estimate, last in zip(estimates, known, strict=True)
        ]
        return estimates


def with_sane_box(estimate: Estimate, last: Estimate) -> Estimate:
    """An answer whose box is finite: of its mask if need be, or the last answer kept."""
    if _is_sane(estimate.box):
        return estimate
    if estimate.mask is None:
        return kept(last, INVALID, *estimate.fallbacks)
    return replace(estimate, box=mask_to_box(estimate.mask) or last.box)


def kept(last: Estimate, *fallbacks: str) -> Estimate:
    """The last good answer in place of one, for the reasons given."""
    return replace(last, confidence=0.0, lost=True, fallbacks=frozenset(fallbacks))


def _given(boxes: Sequence[Box], masks: Sequence[Mask | None]) -> list[Estimate]:
    """Targets as they were given, as answers for the frame in which they were."""
    filled = [*masks, *[None] * (len(boxes) - len(masks))]
    return [Estimate(box, mask) for box, mask in zip(boxes, filled, strict=True)]


def _is_sane(box: Box) -> bool:
    return all(map(math.isfinite, box)) and box.w >= 0 and box.h >= 0
