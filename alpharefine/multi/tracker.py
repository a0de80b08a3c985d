"""A tracker of several objects: one tracker each, which share what they can."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alpharefine.errors import UsageError
from alpharefine.multi.config import MultiConfig
from alpharefine.multi.pixels import Claim, without_overlap
from alpharefine.multi.presence import Presence, place_to_look
from alpharefine.multi.regions import SearchPlace, fitted_scale, share_regions
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.refinement.refiner import Refinement
from alpharefine.refinement.together import refine_together
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.types import Box, Estimate, Image, Tracker

Sample = Any
"""A search region with its features, of a base tracker."""


@dataclass(frozen=True)
class _Followed:
    """One of the objects.

    Attributes:
        tracker: that follows it.
        presence: whether it is there.
    """

    tracker: Tracker
    presence: Presence

    @property
    def base(self) -> Tracker:
        """The tracker without its refinement."""
        return self.tracker.base if isinstance(self.tracker, RefinedTracker) else self.tracker


class MultiObjectTracker:
    """Follows each object as a single-object tracker does; what can be shared is shared.

    - DiMP base trackers whose search regions lie near each other, at like scales, look into one
      region, whose features are computed once; each applies its own filter (`SharingConfig`).
    - The refinement crops of all objects are one batch.
    - Masks do not overlap: the surer object keeps a pixel.

    An object that is alone is answered exactly as by the single-object tracker.

    Args:
        make: makes trackers that share their networks, as `alpharefine.build.tracker_maker` does.
        config: what is shared, and whether objects may be absent.
    """

    def __init__(self, make: Callable[[], Tracker], config: MultiConfig = MultiConfig()) -> None:
        self.config = config
        self._make = make
        # At once, so that what is wrong is told before a client asks.
        self._trackers = [make()]
        self._objects: list[_Followed] = []

    def initialize(self, image: Image, targets: Sequence[Box]) -> None:
        """See `alpharefine.types.MultiTracker`."""
        _check(targets)
        self._objects = []
        self.add(image, targets)

    def add(self, image: Image, targets: Sequence[Box]) -> None:
        """See `alpharefine.types.MultiTracker`."""
        _check(targets)
        for target in targets:
            if len(self._objects) == len(self._trackers):
                self._trackers.append(self._make())
            tracker = self._trackers[len(self._objects)]
            tracker.initialize(image, target)
            self._objects.append(_Followed(tracker, Presence(self.config.presence)))

    def track(self, image: Image) -> list[Estimate]:
        """See `alpharefine.types.MultiTracker`."""
        samples = self._shared_samples(image)
        samples.update(self._found_elsewhere(image, samples))
        found = [
            self._find(followed, image, samples.get(number))
            for number, followed in enumerate(self._objects)
        ]
        claims = self._refine(image, found)
        judged = [
            Claim(followed.presence.judge(claim.estimate, claim.refinement), claim.refinement)
            for followed, claim in zip(self._objects, claims, strict=True)
        ]
        return without_overlap(judged)

    @staticmethod
    def _find(followed: _Followed, image: Image, sample: Sample | None) -> Estimate:
        """What the base tracker answers, or the tracker that has none."""
        base = followed.base
        if isinstance(base, DimpTracker):
            return base.track_in(image, sample)
        return base.track(image)

    def _refine(self, image: Image, found: Sequence[Estimate]) -> list[Claim]:
        """The answers of all objects, whose trackers are of one kind."""
        refined = [
            each.tracker for each in self._objects if isinstance(each.tracker, RefinedTracker)
        ]
        if not refined:
            return [Claim(estimate, None) for estimate in found]
        usable = [
            tracker.usable(estimate) for tracker, estimate in zip(refined, found, strict=True)
        ]
        boxes = [
            tracker.rough_box(estimate, image)
            for tracker, estimate in zip(refined, usable, strict=True)
        ]
        refiners = [tracker.refiner for tracker in refined]
        refinements: list[Refinement | None] = refine_together(
            refiners, image, boxes, refined[0].config.outputs
        )
        return [
            Claim(tracker.settle(image, estimate, refinement), refinement)
            for tracker, estimate, refinement in zip(refined, usable, refinements, strict=True)
        ]

    def _shared_samples(self, image: Image) -> dict[int, Sample]:
        """Search regions that several objects share, by the number of each object."""
        bases = [each.base for each in self._objects]
        dimps = [base for base in bases if isinstance(base, DimpTracker)]
        if self.config.sharing is None or len(bases) < 2 or len(dimps) < len(bases):
            return {}
        settings = dimps[0].config
        size, change = image.shape[:2], settings.patch_max_scale_change
        side = settings.image_sample_size
        places = [
            SearchPlace(
                base.state.position,
                float(base.state.scale),
                fitted_scale(float(base.state.scale), side, (size[0], size[1]), change),
            )
            for base in dimps
        ]
        regions = share_regions(
            places,
            side,
            (size[0], size[1]),
            self.config.sharing,
            stays_inside=change is not None,
        )
        samples: dict[int, Sample] = {}
        for region in regions:
            sample = dimps[region.members[0]].sample_at(image, region.center, region.scale)
            samples.update(dict.fromkeys(region.members, sample))
        return samples

    def _found_elsewhere(self, image: Image, samples: dict[int, Sample]) -> dict[int, Sample]:
        """Search regions far from where they were in which absent objects have been found."""
        config = self.config.redetection
        if config is None:
            return {}
        found = {}
        height, width = image.shape[:2]
        for number, followed in enumerate(self._objects):
            base, frames = followed.base, followed.presence.absent
            if not frames or not isinstance(base, DimpTracker):
                continue
            scale = base.state.scale
            side = float(scale) * base.config.image_sample_size
            center = place_to_look(frames, base.state.position, side, (height, width), config)
            sample = base.sample_at(image, center, np.float32(scale))
            peak = base.peak_in(sample)
            if peak < config.least_score:
                continue
            usual = samples.get(number) or base.usual_sample(image)
            found[number] = sample if peak > base.peak_in(usual) else usual
        return found


def _check(targets: Sequence[Box]) -> None:
    """Before any of them is begun with."""
    for number, target in enumerate(targets, start=1):
        if not target.is_valid:
            raise UsageError(f"target {number}, {tuple(target)}, is empty or not finite")
