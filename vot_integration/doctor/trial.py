"""A tracker's first frames under the toolkit: handshake, initialisation, five frames."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from vot_integration.doctor.failure import explain_failure
from vot_integration.doctor.findings import Finding, Severity
from vot_integration.doctor.section import read_section
from vot_integration.evaluation.logs import kept_answers, newest_log
from vot_integration.evaluation.toolkit import run_toolkit
from vot_integration.sequences.builtin import BUILTIN_NAMES, write_builtin_sequences

TRACKED_FRAMES = 5

_SUCCESS = "Test concluded successfuly"
"""What the toolkit says, in its spelling; it exits with 0 in any case."""


def check_tracker_runs(registry: Path, tracker: str) -> Iterator[Finding]:
    """Let the toolkit's own `vot test` start a tracker and show it a few frames.

    Args:
        registry: trackers.ini that registers it.
        tracker: its name.
    """
    started = time.time()
    with tempfile.TemporaryDirectory(prefix="arvot-") as name:
        folder = Path(name)
        [sequence] = write_builtin_sequences(
            folder / "sequences", BUILTIN_NAMES[:1], TRACKED_FRAMES + 1
        )
        _, output = run_toolkit(
            ["--registry", str(registry), "test", tracker, "--sequence", str(sequence)],
            cwd=folder,
            log=folder / "vot-test.log",
        )
    section = read_section(registry, tracker)
    logs = section.log_folder
    if _SUCCESS in output:
        kept = kept_answers(logs, started) if logs is not None else {}
        for event, count in kept.items():
            yield Finding(
                Severity.WARNING,
                "trial",
                f"{tracker} was shown {TRACKED_FRAMES} frames and had {count} {event}",
                f"see its log in {logs}: answers must be finite, with sides that are not negative",
            )
        if kept:
            return
        text = f"{tracker} shook hands with the toolkit and tracked {TRACKED_FRAMES} frames"
        yield Finding(Severity.GOOD, "trial", text)
        return
    log = newest_log(logs, since=started) if logs is not None else None
    text, remedy = explain_failure(section, output, log)
    yield Finding(Severity.ERROR, "trial", text, remedy)
