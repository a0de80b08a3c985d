"""A tracker of the user's own: the toolkit's runtime starts it, and is shown frames as files."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from alpharefine.types import Box, Image
from vot_integration.errors import EvaluationError
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target
from vot_integration.serving.run_log import state_folder
from vot_integration.toolkit.logs import kept_answers, log_tail, newest_log
from vot_integration.toolkit.regions import shape_box
from vot_integration.toolkit.tracker_runtime import TrackerRuntime
from vot_integration.track.follower import Answer
from vot_integration.workspaces.launch import Launch, read_launch
from vot_integration.workspaces.section_problems import start_problems

_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


def log_place(section: Launch) -> Path:
    """Folder of the logs that a tracker writes if it is served by this package."""
    return section.log_folder or state_folder() / "logs"


def kept_answers_of(section: Launch, since: float) -> list[str]:
    """A line for each kind of answers that a tracker did not give, with its log.

    Args:
        section: how it is registered.
        since: time as of `time.time`; older logs do not count.
    """
    logs = log_place(section)
    return [
        f"{section.tracker} had {count} {event}, for which its last answer was kept; its log is "
        f"{newest_log(logs, since)}"
        for event, count in kept_answers(logs, since).items()
        if event != "unreadable frames"
    ]


class OwnFollower:
    """A tracker that a trackers.ini registers, in a process of its own until `close`.

    Args:
        registry: the trackers.ini.
        name: of its section.
    """

    def __init__(self, registry: Path, name: str) -> None:
        # The file may be gone when something is to be said of it.
        self._section, self._started = read_launch(registry, name), time.time()
        self._process = TrackerRuntime(registry, name)
        self._scratch = tempfile.TemporaryDirectory(prefix="arvot-")
        self._number = 0
        self._file = Path(self._scratch.name)

    def initialize(self, image: Image, target: Shape) -> Answer:
        """Start the process, and in it the tracker on a target in the first frame.

        Raises:
            UsageError: the shape is no target.
            EvaluationError: the tracker failed.
        """
        box = read_target(target, *image.shape[:2]).box
        with self._explained():
            self._process.initialize(self._write(image), target)
        return Answer(target, box, 1.0)

    def track(self, image: Image) -> Answer:
        """Ask for the target in the next frame.

        Raises:
            EvaluationError: the tracker failed, or did not answer one object.
        """
        with self._explained():
            shape, confidence = self._process.update(self._write(image))
        box = Box(0.0, 0.0, 0.0, 0.0) if shape is None else shape_box(shape)
        return Answer(shape, box, confidence)

    def close(self) -> None:
        """End the process."""
        self._process.stop()
        self._scratch.cleanup()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Add to a failure where the tracker's own log is, and what its section cannot mean."""
        try:
            yield
        except EvaluationError as error:
            parts = [str(error)]
            section = f"its section of {self._section.registry.name}"
            parts += [f"In {section}: {text}" for text in start_problems(self._section)]
            log = newest_log(log_place(self._section), self._started)
            if log is not None:
                text = log.read_text(encoding="utf-8", errors="replace")
                parts += [f"The tracker's own log ends so ({log}):", log_tail(text)]
            raise EvaluationError("\n".join(parts)) from error

    def _write(self, image: Image) -> Path:
        """Write a frame where the tracker reads it; trackers may remember names, so each is new."""
        if self._number:
            self._file.unlink(missing_ok=True)
        self._number += 1
        self._file = Path(self._scratch.name) / f"{self._number:08d}.png"
        if not cv2.imwrite(str(self._file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _FAST):
            raise EvaluationError(f"cannot write in {self._scratch.name}: is the disk full?")
        return self._file
