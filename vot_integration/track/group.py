"""Several targets at the same time."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Protocol

from alpharefine.types import Image
from vot_integration.regions.shapes import Shape
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
