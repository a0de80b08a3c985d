"""What is told about each frame that is tracked, and who tells it."""

from dataclasses import dataclass
from typing import Protocol

from alpharefine.session import KEPT, TrackingSession
from alpharefine.types import Box, Image, Tracker
from vot_integration.regions.answers import Output, make_answer
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target


@dataclass(frozen=True)
class Answer:
    """Where the target is in one frame.

    Attributes:
        shape: as the toolkit would get it; None where the target is absent.
        box: the target's box; of a polygon the rectangle around it.
        confidence: 0..1, None where the tracker gives none.
        lost: whether the tracker says that it has not found the target.
    """

    shape: Shape | None
    box: Box
    confidence: float | None
    lost: bool = False


class Follower(Protocol):
    """A tracker of any kind, in this process or in one of its own."""

    def initialize(self, image: Image, target: Shape) -> Answer:
        """Start on a target in the first frame, which is also the answer.

        Raises:
            UsageError: the shape is no target.
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


class CatalogFollower:
    """A tracker with the form of its answers.

    Args:
        tracker: any tracker.
        output: the form.
    """

    def __init__(self, tracker: Tracker, output: Output) -> None:
        self._session, self._output = TrackingSession(tracker), output
        self._last: Shape

    def initialize(self, image: Image, target: Shape) -> Answer:
        """Start on a target in the first frame.

        Raises:
            UsageError: the shape is no target.
        """
        box = read_target(target, *image.shape[:2]).box
        self._session.initialize(image, box)
        self._last = target
        return Answer(target, box, 1.0)

    def track(self, image: Image) -> Answer:
        """Find the target; what a `TrackingSession` keeps is drawn as it was."""
        estimate = self._session.track(image)
        if not estimate.fallbacks & KEPT:
            self._last = make_answer(estimate, self._output, *image.shape[:2])
        return Answer(self._last, estimate.box, estimate.confidence, estimate.lost)

    def close(self) -> None:
        """No process was started that would have to be ended."""
