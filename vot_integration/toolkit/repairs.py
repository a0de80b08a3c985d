"""The command `vot`, with what has to be mended in it whatever its version."""

from collections.abc import Callable
from typing import Any

from vot_integration.plain_paths import PlainPaths
from vot_integration.toolkit.plain_output import escape_output
from vot_integration.toolkit.tracker_runtime import FrameFile


def run_commands() -> None:
    """Be the command `vot`: any path, any output, scores of total failures, no request for updates.

    Every `vot` command starts with a request to GitHub for a newer version: it waits up to 5 s
    on a machine without network, the answer is of no use to a pinned version, and the toolkit
    has no setting for it.
    """
    from vot.utilities import cli

    for name in ("do_test", "do_evaluate", "do_analysis", "do_report", "do_pack"):
        setattr(cli, name, _repaired(getattr(cli, name)))
    cli.check_updates = lambda: (False, None)
    cli.main()


def _repaired(action: Callable[[Any], None]) -> Callable[[Any], None]:
    """One of the toolkit's commands, with repairs that can only be made once it has begun.

    The toolkit takes its configuration from its arguments, but keeps what it was when its other
    parts were first imported.
    """

    def repair_and_act(arguments: Any) -> None:
        _repair_paths()
        escape_output()
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
        return convert_frame(FrameFile(frame.filename, paths), channels)

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
