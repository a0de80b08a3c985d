"""What a studio works with, and what it tells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from alpharefine.refinement.point import PointProposal
from alpharefine.types import Image
from vot_integration.demo.found import Found
from vot_integration.demo.lanes import FindTracker


class Phase(StrEnum):
    """What a studio is at."""

    EMPTY = "empty"
    READING = "reading"
    READY = "ready"
    LOADING = "loading"
    TRACKING = "tracking"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"


BUSY = frozenset({Phase.READING, Phase.LOADING, Phase.TRACKING})
"""Phases in which nothing can be changed."""


class Listener(Protocol):
    """Is told what happens, from any thread; must not wait."""

    def on_state(self, state: dict[str, Any]) -> None:
        """All that the page has to know but what is found; see `Studio.state`."""
        ...

    def on_found(self, frame: int, found: Sequence[Found], image: Image | None) -> None:
        """What each tracker has found in a frame, and the frame where there is one to show."""
        ...


@dataclass(frozen=True)
class Tools:
    """What all studios work with.

    Attributes:
        find: a tracker by its name.
        propose: targets at a point (x, y) of an image, the likeliest first.
    """

    find: FindTracker
    propose: Callable[[Image, tuple[float, float]], Sequence[PointProposal]]
