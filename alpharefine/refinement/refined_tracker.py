"""A base tracker and a refiner make a tracker."""

import logging
import math
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import clip_box, mask_to_box
from alpharefine.refinement.config import CouplingConfig
from alpharefine.refinement.refiner import Fallback, Refinement, Refiner
from alpharefine.types import Box, Estimate, Image, ResumableTracker, Tracker

_log = logging.getLogger(__name__)

_NO_BASE_BOX = "boxes of the base tracker that are not finite"


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
    references: tuple[Tensor, Tensor]
    last_box: Box
    frame: int


class RefinedTracker:
    """Tracks with `base` and answers what `refiner` makes of it.

    The answer's box is the refined box, else the tight box of the mask, else the clipped base box;
    its mask is the refiner's (None if no mask is computed); the rest is the base tracker's.

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
        config: CouplingConfig = CouplingConfig(),
    ) -> None:
        self.base = base
        self.refiner = refiner
        self.config = config
        outputs = refiner.outputs if config.outputs is None else frozenset(config.outputs)
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
        shift = self.config.initial_shift if self.config.official.shifted_initial_box else 0.0
        self.base.initialize(image, target._replace(x=target.x + shift, y=target.y + shift))
        self.refiner.initialize(image, target)
        self._last_box = target
        self._frame = 0

    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame, refine it and feed the configured box back."""
        estimate = self.usable(self.base.track(image))
        refinement = self._refine(image, self.rough_box(estimate, image))
        return self.settle(image, estimate, refinement)

    def rough_box(self, estimate: Estimate, image: Image) -> Box:
        """What the refiner has to refine of the base tracker's answer."""
        keeps_base = self.config.refine_around == "base" and estimate.box.is_valid
        return estimate.box if keeps_base else self._clip(estimate.box, image)

    def settle(self, image: Image, estimate: Estimate, refinement: Refinement | None) -> Estimate:
        """Feed the configured box back; `track` without its first two steps.

        Args:
            image: the frame.
            estimate: of the base tracker, as `usable` gives it.
            refinement: of its `rough_box`, None where that is too large to be refined.

        Returns:
            The answer.
        """
        config = self.config
        clipped = self._clip(estimate.box, image)
        feeds_refined = config.feedback == "refined" or (
            config.feedback == "refined_if_found" and not estimate.lost
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

    def snapshot(self) -> RefinedSnapshot | None:
        """See `alpharefine.types.ResumableTracker`; None where the base tracker is no such one."""
        base = self.base.snapshot() if isinstance(self.base, ResumableTracker) else None
        if base is None:
            return None
        return RefinedSnapshot(
            base,
            self.refiner.snapshot(),
            self._last_box,
            self._frame,
        )

    def resume(self, snapshot: RefinedSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        assert isinstance(self.base, ResumableTracker)
        self.base.resume(snapshot.base)
        self._frame = snapshot.frame
        self.refiner.resume(snapshot.references)
        self._last_box = snapshot.last_box

    def usable(self, estimate: Estimate) -> Estimate:
        """The base tracker's answer, around the last box if its own is not finite."""
        if all(map(math.isfinite, estimate.box)):
            return estimate
        fallbacks = estimate.fallbacks | {_NO_BASE_BOX}
        return replace(estimate, box=self._last_box, lost=True, fallbacks=fallbacks)

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
        is_sure = not (base.lost or base.ambiguous) and base.confidence >= config.reference_score
        if not (is_due and is_sure) or refinement is None or refinement.box is None:
            return
        try:
            self.refiner.renew(image, refinement.box)
        except UsageError as error:
            # A run that has begun goes on with the reference that it has.
            _log.warning("%s", error)

    def _eased(self, box: Box) -> Box:
        """The box with a size on the way from the last one's to its own, about the same center."""
        rate, last = self.config.feedback_rate, self._last_box
        if rate == 1 or not last.is_valid:
            return box
        w, h = last.w ** (1 - rate) * box.w**rate, last.h ** (1 - rate) * box.h**rate
        return Box(box.x + (box.w - w) / 2, box.y + (box.h - h) / 2, w, h)

    def _clip(self, box: Box, image: Image) -> Box:
        height, width = image.shape[:2]
        clipped = clip_box(box, height, width, self.config.clip_margin)
        if self.config.official.tiny_boxes:
            return clipped
        return _widened(clipped, self.config.min_side)


def _best_box(refinement: Refinement) -> Box | None:
    if refinement.box is not None or refinement.mask is None:
        return refinement.box
    return mask_to_box(refinement.mask)


def _widened(box: Box, min_side: float) -> Box:
    """The box with sides of at least `min_side`, about the same center."""
    w, h = max(box.w, min_side), max(box.h, min_side)
    return Box(box.x + (box.w - w) / 2, box.y + (box.h - h) / 2, w, h)
