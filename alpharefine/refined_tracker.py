"""A base tracker and a refiner make a tracker."""

import logging
import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import Box, clip_box, mask_to_box
from alpharefine.oddities import FIXED, Oddities
from alpharefine.refine import Refinement, Refiner
from alpharefine.trackers.base import Estimate, Fallback, Flag, Image, Tracker
from alpharefine.trackers.memory_guard import ResumableTracker

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RefinedTrackerConfig:
    """How base tracker and refiner work together; the defaults are the VOT2020 entry's.

    Attributes:
        refine_around: the refiner sees the base tracker's box clipped to the image, or, as in the
            CVPR 2021 demo, the "base" box as it is.
        feedback: the base tracker goes on from its own box ("base"), from the refined one
            ("refined", the CVPR 2021 demo), or from the refined one only in frames where it has
            found the target itself ("refined_if_found"). Fed-back boxes are clipped to the image.
        feedback_rate: how far the fed-back size goes from the last one to the refined one, above 0
            up to 1, in the logarithm of each side; an addition, 1 in the official systems. A lower
            one keeps a target's size while something passes before it.
        reference_interval: frames from one renewal of the refiner's reference to the next; an
            addition for targets that turn, 0 (the first frame for ever) in the official systems.
        reference_share: share of the newest reference in the kernel, 0..1; the rest is the first.
        reference_score: the base tracker's score from which on a frame may renew the reference.
        outputs: what the refiner computes, "box", "mask" or both; None is all it has.
        clip_margin: px of each axis that clipping keeps inside the image.
        min_side: px, shortest side of a fed-back box (unless `tiny_boxes`).
        initial_shift: px, right and down, by which the base tracker's initial box is moved where
            `shifted_initial_box` is kept; 0.5 in the CVPR 2021 demo.
        oddities: `tiny_boxes` and `shifted_initial_box` are read.

    Source: the authors' VOT2020 entry and CVPR 2021 demo.
    """

    refine_around: Literal["clipped", "base"] = "clipped"
    feedback: Literal["base", "refined", "refined_if_found"] = "base"
    feedback_rate: float = 1.0
    reference_interval: int = 0
    reference_share: float = 0.5
    reference_score: float = 0.5
    outputs: tuple[Literal["box", "mask"], ...] | None = None
    clip_margin: float = 10.0
    min_side: float = 2.0
    initial_shift: float = 0.0
    oddities: Oddities = FIXED


@dataclass(frozen=True)
class RefinedTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        base: the base tracker's answer.
        refinement: the refiner's; None where the box was too large to be refined.
        fed_back: the box that the base tracker goes on from.
    """

    base: Estimate
    refinement: Refinement | None
    fed_back: Box


@dataclass(frozen=True)
class RefinedSnapshot:
    """The state of a run between two frames: of the base tracker, and what the refiner knows."""

    base: Any
    first_kernel: Tensor
    kernel: Tensor
    last_box: Box
    frame: int


class RefinedTracker:
    """Tracks with `base` and answers what `refiner` makes of it.

    The answer's box is the refined box, else the tight box of the mask, else the clipped base box;
    its mask is the refiner's (None if no mask is computed); score and flag are the base tracker's.

    Args:
        base: any tracker.
        refiner: with a network of any variant.
        config: how they work together.

    Raises:
        UsageError: the configuration needs an output that the refiner's network does not have, or
            one of its numbers is out of range.

    Source: Yan et al., "Alpha-Refine" (CVPR 2021), figure 2.
    """

    trace: RefinedTrace

    def __init__(
        self,
        base: Tracker,
        refiner: Refiner,
        config: RefinedTrackerConfig = RefinedTrackerConfig(),
    ) -> None:
        self.base = base
        self.refiner = refiner
        self.config = config
        outputs = refiner.outputs if config.outputs is None else frozenset(config.outputs)
        if not 0 < config.feedback_rate <= 1:
            raise UsageError(f"feedback_rate is {config.feedback_rate}: give more than 0, up to 1")
        if config.reference_interval < 0 or not 0 <= config.reference_share <= 1:
            raise UsageError(
                f"reference_interval is {config.reference_interval} and reference_share "
                f"{config.reference_share}: give 0 or more, and 0 to 1"
            )
        if not outputs <= refiner.outputs:
            missing = ", ".join(sorted(outputs - refiner.outputs))
            raise UsageError(f"the refiner's network has no output {missing}: leave it out")
        if config.feedback != "base" and "box" not in outputs:
            raise UsageError(f"feedback is {config.feedback!r} but no box is refined: use 'base'")

    def initialize(self, image: Image, target: Box) -> None:
        """Start base tracker and refiner on the target.

        Raises:
            UsageError: the target box is empty or not finite.
        """
        shift = self.config.initial_shift if self.config.oddities.shifted_initial_box else 0.0
        self.base.initialize(image, target._replace(x=target.x + shift, y=target.y + shift))
        self.refiner.initialize(image, target)
        self._first_kernel = self.refiner.kernel
        self._last_box = target
        self._frame = 0

    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame, refine it and feed the configured box back."""
        config = self.config
        estimate = self._finite(self.base.track(image))
        clipped = self._clip(estimate.box, image)
        keeps_base = config.refine_around == "base" and estimate.box.is_valid
        refinement = self._refine(image, estimate.box if keeps_base else clipped)
        feeds_refined = config.feedback == "refined" or (
            config.feedback == "refined_if_found" and estimate.flag is not Flag.NOT_FOUND
        )
        fed_back = clipped
        if feeds_refined and refinement is not None and refinement.box is not None:
            fed_back = self._eased(self._clip(refinement.box, image))
        self.base.set_state(fed_back)
        self._last_box = fed_back
        self.trace = RefinedTrace(estimate, refinement, fed_back)
        self._frame += 1
        self._renew_reference(image)
        if refinement is None:
            return replace(estimate, box=clipped, fallbacks=estimate.fallbacks | {Fallback.CROP})
        return replace(
            estimate,
            box=_best_box(refinement) or clipped,
            mask=refinement.mask,
            fallbacks=estimate.fallbacks | refinement.fallbacks,
        )

    def set_state(self, box: Box) -> None:
        """Continue from `box` (image px)."""
        self.base.set_state(box)

    def snapshot(self) -> RefinedSnapshot:
        """See `alpharefine.trackers.memory_guard.ResumableTracker`.

        Raises:
            TypeError: the base tracker cannot be resumed.
        """
        return RefinedSnapshot(
            self._resumable().snapshot(),
            self._first_kernel,
            self.refiner.kernel,
            self._last_box,
            self._frame,
        )

    def resume(self, snapshot: RefinedSnapshot) -> None:
        """See `alpharefine.trackers.memory_guard.ResumableTracker`.

        Raises:
            TypeError: the base tracker cannot be resumed.
        """
        self._resumable().resume(snapshot.base)
        self._first_kernel = snapshot.first_kernel
        self._frame = snapshot.frame
        self.refiner.take_kernel(snapshot.kernel)
        self._last_box = snapshot.last_box

    def _resumable(self) -> ResumableTracker:
        if not isinstance(self.base, ResumableTracker):
            raise TypeError(f"{type(self.base).__name__} has no snapshot() and resume()")
        return self.base

    def _finite(self, estimate: Estimate) -> Estimate:
        """The base tracker's answer, around the last box if its own is not finite."""
        if all(map(math.isfinite, estimate.box)):
            return estimate
        fallbacks = estimate.fallbacks | {Fallback.BOX}
        return replace(estimate, box=self._last_box, flag=Flag.NOT_FOUND, fallbacks=fallbacks)

    def _refine(self, image: Image, box: Box) -> Refinement | None:
        try:
            return self.refiner.refine(image, box, self.config.outputs)
        except UsageError as error:
            # A run that has begun goes on with the base tracker's box.
            _log.warning("%s", error)
            return None

    def _renew_reference(self, image: Image) -> None:
        """Mix the target as it looks now into the refiner's reference, if it was surely found."""
        config, base, refinement = self.config, self.trace.base, self.trace.refinement
        interval = config.reference_interval
        # In its middle: the base tracker's filter updates fall on round numbers of frames.
        is_due = interval > 0 and self._frame % interval == interval // 2
        is_sure = base.flag is Flag.NORMAL and base.score >= config.reference_score
        if not (is_due and is_sure) or refinement is None or refinement.box is None:
            return
        try:
            newest = self.refiner.reference(image, refinement.box)
        except UsageError as error:
            # A run that has begun goes on with the reference that it has.
            _log.warning("%s", error)
            return
        if newest.isfinite().all():
            first = self._first_kernel.to(newest)
            self.refiner.take_kernel(first.lerp(newest, config.reference_share))

    def _eased(self, box: Box) -> Box:
        """The box with a size on the way from the last one's to its own, about the same centre."""
        rate, last = self.config.feedback_rate, self._last_box
        if rate == 1 or not last.is_valid:
            return box
        w, h = last.w ** (1 - rate) * box.w**rate, last.h ** (1 - rate) * box.h**rate
        return Box(box.x + (box.w - w) / 2, box.y + (box.h - h) / 2, w, h)

    def _clip(self, box: Box, image: Image) -> Box:
        height, width = image.shape[:2]
        clipped = clip_box(box, height, width, self.config.clip_margin)
        if self.config.oddities.tiny_boxes:
            return clipped
        return _widened(clipped, self.config.min_side)


def _best_box(refinement: Refinement) -> Box | None:
    if refinement.box is not None or refinement.mask is None:
        return refinement.box
    return mask_to_box(refinement.mask)


def _widened(box: Box, min_side: float) -> Box:
    """The box with sides of at least `min_side`, about the same centre."""
    w, h = max(box.w, min_side), max(box.h, min_side)
    return Box(box.x + (box.w - w) / 2, box.y + (box.h - h) / 2, w, h)
