"""What is told about each frame of a film, and who tells it."""

from dataclasses import dataclass
from typing import Protocol

from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Image
from vot_integration.groundtruth import Region


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
