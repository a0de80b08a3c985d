"""What the page can choose from: trackers, built-in sequences, and what a point may mean."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from alpharefine.refinement.point import PointProposal, boxes_at_point
from alpharefine.refinement.refiner import Refiner
from alpharefine.types import Image
from vot_integration.demo.contract import Tools
from vot_integration.demo.lanes import FindTracker
from vot_integration.files import absolute
from vot_integration.sequences.builtin import BUILTIN_NAMES, render_sequence
from vot_integration.track.choice import Choice, Chosen, choose_follower
from vot_integration.workspaces.own_trackers import adopt_trackers, read_own_trackers
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, TrackerSettings, registrations

EXAMPLES = BUILTIN_NAMES
EXAMPLE_FRAMES = 60
"""A few seconds of drawing."""

_EXAMPLE_FPS = 30.0


@dataclass(frozen=True)
class TrackerEntry:
    """A tracker that can be chosen.

    Attributes:
        name: of the tracker.
        is_random: whether its weights are not on this machine, so that random ones stand in.
    """

    name: str
    is_random: bool


def list_trackers(choice: Choice) -> list[TrackerEntry]:
    """Trackers to choose from, that of the user first, then those with weights.

    Raises:
        UsageError: the user's is none.
    """
    own = read_own_trackers(absolute(choice.workspace) / TRACKERS_FILE)
    given = {} if choice.trackers is None else adopt_trackers(choice.trackers)
    catalog = [entry.name for entry in registrations().values() if entry.name == entry.tracker]
    names = dict.fromkeys([choice.tracker, *given, *own, *catalog])
    find = finder(choice)
    entries = [TrackerEntry(name, find(name).has_random_weights) for name in names]
    return [entries[0], *sorted(entries[1:], key=lambda entry: entry.is_random)]


def finder(choice: Choice) -> FindTracker:
    """Finds trackers by their names; weights and settings are for the tracker of the choice."""
    others = replace(choice.settings, weights=None, config=None)

    def find(name: str) -> Chosen:
        settings = choice.settings if name == choice.tracker else others
        return choose_follower(replace(choice, tracker=name, settings=settings))

    return find


def make_tools(choice: Choice) -> Tools:
    """What the studios work with; the refiner for points is loaded when the first one comes."""
    return Tools(finder(choice), _Pointer(choice.settings).propose)


def write_example(name: str, file: Path, on_frame: Callable[[int], None]) -> None:
    """Write the beginning of a built-in sequence as a video.

    Args:
        name: one of `EXAMPLES`.
        file: to write, in .avi.
        on_frame: is told how many frames are done.
    """
    writer = None
    for number, frame in enumerate(render_sequence(name, EXAMPLE_FRAMES), start=1):
        if writer is None:
            size = frame.image.shape[1], frame.image.shape[0]
            codec = cv2.VideoWriter.fourcc(*"MJPG")
            writer = cv2.VideoWriter(str(file), codec, _EXAMPLE_FPS, size)
        writer.write(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
        on_frame(number)
    if writer is not None:
        writer.release()


class _Pointer:
    """Alpha-Refine, for one point at a time."""

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self._refiner: Refiner | None = None
        self._lock = threading.Lock()

    def propose(self, image: Image, point: tuple[float, float]) -> Sequence[PointProposal]:
        from alpharefine.build import build_refiner

        with self._lock:
            if self._refiner is None:
                self._refiner = build_refiner(
                    device=self._settings.device or "auto",
                    precision=self._settings.precision or "auto",
                )
            return boxes_at_point(self._refiner, image, point)
