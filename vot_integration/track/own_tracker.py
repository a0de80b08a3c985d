"""A tracker of the user's own: the toolkit's runtime starts it, and is shown frames as files."""

import tempfile
from pathlib import Path

import cv2

from alpharefine.types import Box, Image
from vot_integration.errors import EvaluationError
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target
from vot_integration.toolkit.regions import shape_box
from vot_integration.toolkit.tracker_runtime import TrackerRuntime
from vot_integration.track.follower import Answer

_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


class OwnFollower:
    """A tracker that a trackers.ini registers, in a process of its own until `close`.

    Args:
        registry: the trackers.ini.
        name: of its section.
    """

    def __init__(self, registry: Path, name: str) -> None:
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
        self._process.initialize(self._write(image), target)
        return Answer(target, box, 1.0)

    def track(self, image: Image) -> Answer:
        """Ask for the target in the next frame.

        Raises:
            EvaluationError: the tracker failed, or did not answer one object.
        """
        shape, confidence = self._process.update(self._write(image))
        box = Box(0.0, 0.0, 0.0, 0.0) if shape is None else shape_box(shape)
        return Answer(shape, box, confidence)

    def close(self) -> None:
        """End the process."""
        self._process.stop()
        self._scratch.cleanup()

    def _write(self, image: Image) -> Path:
        """Write a frame where the tracker reads it; trackers may remember names, so each is new."""
        if self._number:
            self._file.unlink(missing_ok=True)
        self._number += 1
        self._file = Path(self._scratch.name) / f"{self._number:08d}.png"
        if not cv2.imwrite(str(self._file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _FAST):
            raise EvaluationError(f"cannot write in {self._scratch.name}: is the disk full?")
        return self._file
