"""A tracker of a trackers.ini, started and asked by the toolkit's own TraX runtime."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vot_integration.errors import EvaluationError
from vot_integration.plain_paths import PlainPaths
from vot_integration.regions.shapes import Shape
from vot_integration.toolkit.logs import log_tail
from vot_integration.toolkit.plain_output import escape_output

_PROTOCOL = "@@TRAX:"
"""Begins those lines of a tracker's log that were written by TraX."""


class RuntimeAnswer(NamedTuple):
    """What a tracker has answered: a shape, None for absent, and its confidence, if any."""

    shape: Shape | None
    confidence: float | None


class FrameFile:
    """What the toolkit asks of a frame; its path is plain.

    Args:
        filename: file of a channel, None where there is none.
        paths: where plain names come from.
    """

    def __init__(self, filename: Callable[[str], str | None], paths: PlainPaths) -> None:
        self._filename = filename
        self._paths = paths

    def filename(self, channel: str) -> str | None:
        """File of a channel under a name that TraX can send."""
        file = self._filename(channel)
        return None if file is None else self._paths.of_file(file)


class TrackerRuntime:
    """A tracker whose process starts with its first frame; frames are image files.

    Args:
        registry: the trackers.ini.
        name: of its section.
    """

    def __init__(self, registry: Path, name: str) -> None:
        from vot.tracker import Registry

        escape_output()
        self._name = name
        self._paths = PlainPaths()
        self._runtime = Registry([str(registry)])[name].runtime()

    def initialize(self, frame: Path, target: Shape) -> None:
        """Start the process, and in it the tracker on a target.

        Raises:
            EvaluationError: the tracker failed.
        """
        from vot.tracker import ObjectStatus

        from vot_integration.toolkit.regions import shape_region

        status = ObjectStatus(shape_region(target), {})
        self._ask(lambda: self._runtime.initialize(self._frame(frame), [status]))

    def update(self, frame: Path) -> RuntimeAnswer:
        """Ask for the target in the next frame.

        Raises:
            EvaluationError: the tracker failed, or did not answer one object.
        """
        from vot_integration.toolkit.regions import region_shape

        objects, _ = self._ask(lambda: self._runtime.update(self._frame(frame), []))
        if len(objects) != 1:
            raise EvaluationError(f"{self._name} answered {len(objects)} objects instead of one")
        [status] = objects
        return RuntimeAnswer(region_shape(status.region), _confidence(status.properties))

    def stop(self) -> None:
        """End the process."""
        self._runtime.stop()
        self._paths.close()

    def _frame(self, file: Path) -> FrameFile:
        return FrameFile({"color": str(file)}.get, self._paths)

    def _ask(self, question: Callable[[], Any]) -> Any:
        from vot import ToolkitException

        try:
            return question()
        except ToolkitException as error:
            lines = (getattr(error, "log", None) or "").splitlines()
            log = "\n".join(line for line in lines if not line.startswith(_PROTOCOL))
            raise EvaluationError(
                f"{self._name} failed: {error}; it wrote:\n{log_tail(log)}"
            ) from error


def _confidence(properties: Mapping[str, str]) -> float | None:
    try:
        confidence = float(properties["confidence"])
    except (KeyError, ValueError):
        return None
    return confidence if math.isfinite(confidence) else None
