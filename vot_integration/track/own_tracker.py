"""A tracker of the user's own follows the target: the toolkit's runtime starts it and asks it."""

import math
import tempfile
from pathlib import Path

import cv2
from vot import ToolkitException
from vot.tracker import Objects, ObjectStatus, Registry
from vot.tracker.trax import TraxTrackerRuntime

from alpharefine.trackers.base import Image
from vot_integration.errors import EvaluationError
from vot_integration.evaluation.logs import log_tail
from vot_integration.toolkit.regions import Region, region_box
from vot_integration.track.follower import Answer
from vot_integration.track.target import target_box

_PROTOCOL = "@@TRAX:"
"""Begins those lines of a tracker's log that were written by TraX."""

_FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1]


class TraxFollower:
    """A tracker that a trackers.ini registers, in a process of its own until `close`.

    Args:
        registry: the trackers.ini.
        name: of its section.
    """

    def __init__(self, registry: Path, name: str) -> None:
        self._name = name
        self._runtime: TraxTrackerRuntime = Registry([str(registry)])[name].runtime()
        self._scratch = tempfile.TemporaryDirectory(prefix="arvot-")
        self._number = 0
        self._frame = self._next_frame()

    def initialize(self, image: Image, region: Region) -> Answer:
        """Start the process, and in it the tracker on a region of the first frame.

        Raises:
            UsageError: the region is no target.
            EvaluationError: the tracker failed.
        """
        box = target_box(region, image)
        self._show(image)
        try:
            self._runtime.initialize(self._frame, ObjectStatus(region, {}))
        except ToolkitException as error:
            raise self._failure(error) from error
        return Answer(region, box, 1.0)

    def track(self, image: Image) -> Answer:
        """Ask for the target in the next frame.

        Raises:
            EvaluationError: the tracker failed, or did not answer one object.
        """
        self._show(image)
        try:
            objects, _ = self._runtime.update(self._frame)
        except ToolkitException as error:
            raise self._failure(error) from error
        if len(objects) != 1:
            raise EvaluationError(f"{self._name} answered {len(objects)} objects instead of one")
        return _answer(objects)

    def close(self) -> None:
        """End the process."""
        self._runtime.stop()
        self._scratch.cleanup()

    def _show(self, image: Image) -> None:
        """Write a frame where the tracker reads it; trackers may remember names, so each is new."""
        self._frame.file.unlink(missing_ok=True)
        self._frame = self._next_frame()
        if not cv2.imwrite(str(self._frame.file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _FAST):
            raise EvaluationError(f"cannot write in {self._scratch.name}: is the disk full?")

    def _next_frame(self) -> "_FrameFile":
        self._number += 1
        return _FrameFile(Path(self._scratch.name) / f"{self._number:08d}.png")

    def _failure(self, error: ToolkitException) -> EvaluationError:
        lines = (getattr(error, "log", None) or "").splitlines()
        log = "\n".join(line for line in lines if not line.startswith(_PROTOCOL))
        return EvaluationError(f"{self._name} failed: {error}; it wrote:\n{log_tail(log)}")


class _FrameFile:
    """What the runtime asks of a frame."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def filename(self, channel: str) -> str | None:
        return str(self.file) if channel == "color" else None


def _answer(objects: Objects) -> Answer:
    [status] = objects
    try:
        confidence = float(status.properties["confidence"])
    except (KeyError, ValueError):
        confidence = math.nan
    return Answer(
        status.region,
        region_box(status.region),
        confidence if math.isfinite(confidence) else None,
    )
