"""A tracker of the catalogue follows a film; its answers are those that the toolkit would get."""

from vot.tracker.trax import convert_traxregion

from alpharefine.trackers.base import Image, Tracker
from vot_integration.film.answer import Answer
from vot_integration.film.target import target_box
from vot_integration.groundtruth import Region
from vot_integration.serving.outputs import Output
from vot_integration.serving.protocol import write_region


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
