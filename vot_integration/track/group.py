"""Several targets at the same time."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from alpharefine.session import KEPT, MultiTrackingSession
from alpharefine.types import Image, MultiTracker
from vot_integration.regions.answers import Output, make_answer
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target
from vot_integration.track.follower import Answer, Follower


class Group(Protocol):
    """What follows all targets: a tracker each, or one that knows of them all."""

    def initialize(self, image: Image, targets: Sequence[Shape]) -> Sequence[Answer]:
        """Start on targets in the first frame, which are also the answers.

        Raises:
            UsageError: a shape is no target.
            EvaluationError: a tracker failed.
        """
        ...

    def track(self, image: Image) -> Sequence[Answer]:
        """Find the targets in the next frame, in their order.

        Raises:
            EvaluationError: a tracker failed.
        """
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class Together:
    """One tracker of all targets.

    Args:
        tracker: of several objects.
        output: form of its answers.
    """

    def __init__(self, tracker: MultiTracker, output: Output) -> None:
        self._session, self._output = MultiTrackingSession(tracker), output
        self._last: list[Shape | None] = []

    def initialize(self, image: Image, targets: Sequence[Shape]) -> Sequence[Answer]:
        """See `Group`."""
        boxes = [read_target(target, *image.shape[:2]).box for target in targets]
        self._session.initialize(image, boxes)
        self._last = list(targets)
        return [Answer(*pair, 1.0) for pair in zip(targets, boxes, strict=True)]

    def track(self, image: Image) -> Sequence[Answer]:
        """See `Group`; what a `MultiTrackingSession` keeps is drawn as it was."""
        estimates = self._session.track(image)
        for number, estimate in enumerate(estimates):
            if not estimate.fallbacks & KEPT:
                shape = make_answer(estimate, self._output, *image.shape[:2])
                self._last[number] = None if estimate.absent else shape
        return [
            Answer(shape, estimate.box, estimate.confidence)
            for shape, estimate in zip(self._last, estimates, strict=True)
        ]

    def close(self) -> None:
        """No process was started that would have to be ended."""


class OneEach:
    """A tracker for each target; they know nothing of each other.

    Args:
        followers: as many as there are targets.
    """

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers

    def initialize(self, image: Image, targets: Sequence[Shape]) -> Sequence[Answer]:
        """See `Group`."""
        return [
            follower.initialize(image, target)
            for follower, target in zip(self._followers, targets, strict=True)
        ]

    def track(self, image: Image) -> Sequence[Answer]:
        """See `Group`."""
        return [follower.track(image) for follower in self._followers]

    def close(self) -> None:
        """See `Group`; all are ended, also where one fails at that."""
        with ExitStack() as stack:
            for follower in self._followers:
                stack.callback(follower.close)
