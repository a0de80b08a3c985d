"""What is told about each frame that is tracked, and who tells it."""

from dataclasses import dataclass
from typing import Protocol

from vot.tracker.trax import convert_traxregion

from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Image, Tracker
from vot_integration.regions.outputs import Output
from vot_integration.serving.protocol import write_region
from vot_integration.toolkit.regions import Region
from vot_integration.track.target import target_box


@dataclass(frozen=True)
class Answer:
    """Where the target is in one frame.

    Attributes:
        region: as the toolkit would get it; empty where the target is absent.
        box: the target's box; of a polygon the rectangle around it.
        confidence: 0..1, None where the tracker gives none.
    """

    region: Region
    box: Box
    confidence: float | None


class Follower(Protocol):
    """A tracker of any kind, in this process or in one of its own."""

    def initialize(self, image: Image, region: Region) -> Answer:
        """Start on a region of the first frame; the answer is that region.

        Raises:
            UsageError: the region is no target.
            EvaluationError: the tracker failed.
        """
        ...

    def track(self, image: Image) -> Answer:
        """Find the target in the next frame.

        Raises:
            EvaluationError: the tracker failed.
        """
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class CatalogueFollower:
    """A tracker with the form of its answers.

    Args:
        tracker: any tracker.
        output: the form.
    """

    def __init__(self, tracker: Tracker, output: Output) -> None:
        self._tracker, self._output = tracker, output
        self._last: Answer

    def initialize(self, image: Image, region: Region) -> Answer:
        """Start on a region of the first frame.

        Raises:
            UsageError: the region is no target.
        """
        box = target_box(region, image)
        self._tracker.initialize(image, box)
        self._last = Answer(region, box, 1.0)
        return self._last

    def track(self, image: Image) -> Answer:
        """Find the target; an answer that is not finite keeps the last one, with confidence 0."""
        estimate = self._tracker.track(image)
        region = write_region(estimate, self._output, *image.shape[:2])
        if region is None:
            return Answer(self._last.region, self._last.box, 0.0)
        self._last = Answer(convert_traxregion(region), estimate.box, estimate.confidence)
        return self._last

    def close(self) -> None:
        """Nothing was started."""
