"""Version 0.7 of the toolkit: its runtime and its command line."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vot_integration.errors import EvaluationError
from vot_integration.plain_paths import PlainPaths
from vot_integration.regions.shapes import Shape
from vot_integration.toolkit.interface import RuntimeAnswer, TrackerProcess
from vot_integration.toolkit.logs import log_tail

_PROTOCOL = "@@TRAX:"
"""Begins those lines of a tracker's log that were written by TraX."""


class Version:
    """See `vot_integration.toolkit.interface.Toolkit`."""

    def experiment(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The definition as it is: this version runs all of its experiments."""
        return dict(definition)

    def start_tracker(self, registry: Path, name: str) -> TrackerProcess:
        """A tracker under the toolkit's TraX runtime."""
        return _TraxProcess(registry, name)

    def run_commands(self) -> None:
        """The command `vot`, which takes any path, scores total failures and asks for no update.

        Every `vot` command starts with a request to GitHub for a newer version: it waits up to 5 s
        on a machine without network, the answer is of no use to a pinned version, and the toolkit
        has no setting for it.
        """
        from vot.utilities import cli

        for name in ("do_test", "do_evaluate", "do_analysis", "do_report", "do_pack"):
            setattr(cli, name, _repaired(getattr(cli, name)))
        cli.check_updates = lambda: (False, None)
        cli.main()


class _FrameFile:
    """What the runtime asks of a frame; its path is plain."""

    def __init__(self, filename: Callable[[str], str | None], paths: PlainPaths) -> None:
        self._filename = filename
        self._paths = paths

    def filename(self, channel: str) -> str | None:
        file = self._filename(channel)
        return None if file is None else self._paths.of_file(file)


class _TraxProcess:
    """See `vot_integration.toolkit.interface.TrackerProcess`."""

    def __init__(self, registry: Path, name: str) -> None:
        from vot.tracker import Registry

        self._name = name
        self._paths = PlainPaths()
        self._runtime = Registry([str(registry)])[name].runtime()

    def initialize(self, frame: Path, target: Shape) -> None:
        from vot.tracker import ObjectStatus

        from vot_integration.toolkit.regions import shape_region

        status = ObjectStatus(shape_region(target), {})
        self._ask(lambda: self._runtime.initialize(self._frame(frame), status))

    def update(self, frame: Path) -> RuntimeAnswer:
        from vot_integration.toolkit.regions import region_shape

        objects, _ = self._ask(lambda: self._runtime.update(self._frame(frame)))
        if len(objects) != 1:
            raise EvaluationError(f"{self._name} answered {len(objects)} objects instead of one")
        [status] = objects
        return RuntimeAnswer(region_shape(status.region), _confidence(status.properties))

    def stop(self) -> None:
        self._runtime.stop()
        self._paths.close()

    def _frame(self, file: Path) -> _FrameFile:
        return _FrameFile({"color": str(file)}.get, self._paths)

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


def _repaired(action: Callable[[Any], None]) -> Callable[[Any], None]:
    """One of the toolkit's commands, with repairs that can only be made once it has begun.

    The toolkit takes its configuration from its arguments, but keeps what it was when its other
    parts were first imported.
    """

    def repair_and_act(arguments: Any) -> None:
        _repair_paths()
        _repair_total_failure()
        action(arguments)

    return repair_and_act


def _repair_paths() -> None:
    """Let the toolkit read and send any path; names of sequences, and so of results, stay."""
    from vot.dataset import common
    from vot.tracker import trax

    paths = PlainPaths()
    read_data, convert_frame = common._read_data, trax.convert_frame

    def read_plain(metadata: dict[str, Any]) -> Any:
        metadata["root"] = paths.of(metadata["root"])
        return read_data(metadata)

    def convert_plain(frame: Any, channels: Any) -> Any:
        return convert_frame(_FrameFile(frame.filename, paths), channels)

    common._read_data, trax.convert_frame = read_plain, convert_plain


def _repair_total_failure() -> None:
    """Let the toolkit score a tracker that fails at once in every run; numbers stay its own.

    Its average of accuracies over sequences, weighted by the frames tracked, divides by zero then,
    and no analysis at all is written. What it gives a single such sequence, accuracy and robustness
    0, is given to their average here.
    """
    from vot.analysis.multistart import AverageAccuracyRobustness as Average

    aggregate = Average.aggregate

    def aggregate_or_zero(self, tracker, sequences, results):  # type: ignore[no-untyped-def]
        # Of each sequence: accuracy, robustness, both, frames tracked, frames.
        if any(tracked > 0 for *_, tracked, _ in results):
            return aggregate(self, tracker, sequences, results)
        return 0, 0, (0, 0), 0, sum(frames for *_, frames in results)

    Average.aggregate = aggregate_or_zero
