"""A tracker's first frames under the toolkit: handshake, initialisation, five frames."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from vot_integration.doctor.findings import Finding, Severity
from vot_integration.logs import log_tail, newest_log
from vot_integration.sequences import BUILTIN_NAMES, write_builtin_sequences
from vot_integration.toolkit import run_toolkit
from vot_integration.trackers_ini import log_folder

TRACKED_FRAMES = 5

_SUCCESS = "Test concluded successfuly"
"""What the toolkit says, in its spelling; it exits with 0 in any case."""


def check_tracker_runs(registry: Path, tracker: str, logs: Path | None = None) -> Iterator[Finding]:
    """Let the toolkit's own `vot test` start a tracker and show it a few frames.

    Args:
        registry: trackers.ini that registers it.
        tracker: its name.
        logs: where its own log goes; None for the place in the registry's workspace.
    """
    logs = logs or log_folder(registry.parent)
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
    if _SUCCESS in output:
        text = f"{tracker} shook hands with the toolkit and tracked {TRACKED_FRAMES} frames"
        yield Finding(Severity.GOOD, "trial", text)
        return
    parts = [f"{tracker} failed under the toolkit, which says:", log_tail(output)]
    log = newest_log(logs, since=started)
    remedy = "the tracker itself does not start: see what the toolkit says"
    if log is not None:
        text = log.read_text(encoding="utf-8", errors="replace")
        parts += [f"The tracker's own log ends so ({log}):", log_tail(text)]
        remedy = "the end of the tracker's own log names the cause"
    yield Finding(Severity.ERROR, "trial", "\n".join(parts), remedy)
