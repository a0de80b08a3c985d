"""The log file of one run of the server, and what is counted in it."""

import contextlib
import io
import logging
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


def open_log(name: str) -> tuple[int, Path]:
    """Create the log file of this process and open it for appending.

    The folder is $ARVOT_LOG_DIR, else `arvot/logs` in the user's state folder ($XDG_STATE_HOME or
    ~/.local/state), else the temporary folder: a log that cannot be written never stops a run.

    Args:
        name: name of the tracker; the file is `<name>-<date>-<time>-<pid>.log`.

    Returns:
        An open descriptor and the path of the file; os.devnull if no folder can be written.
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip(".") or "tracker"
    file = f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in _folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / file
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), path
    return os.open(os.devnull, os.O_WRONLY), Path(os.devnull)


def state_folder() -> Path:
    """Where files of this user are kept that belong to no workspace.

    `arvot` in $XDG_STATE_HOME or ~/.local/state; in the temporary folder for a user without a home.
    """
    state = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state")
    try:
        return state.expanduser() / "arvot"
    except RuntimeError:
        return Path(tempfile.gettempdir()) / "arvot"


def _folders() -> Iterator[Path]:
    chosen = os.environ.get("ARVOT_LOG_DIR")
    if chosen:
        yield Path(chosen).expanduser()
    yield state_folder() / "logs"
    yield Path(tempfile.gettempdir()) / "arvot-logs"


class _LossyFile(io.RawIOBase):
    """A descriptor to which writing never fails: what cannot be written is lost."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            return os.write(self._descriptor, data)
        return len(data)


def _lossy_stream(descriptor: int) -> io.TextIOWrapper:
    """Text stream on a descriptor: lines appear in order, no text and no full disk ever raises."""
    buffer = io.BufferedWriter(_LossyFile(descriptor))
    return io.TextIOWrapper(buffer, "utf-8", "backslashreplace", line_buffering=True)


def log_to_stderr() -> None:
    """Send every log record, with its time, to standard error (the run's log file).

    Python's own standard output and error become streams that never raise: a full disk, where a
    library's progress bar cannot be logged, must not end the run.
    """
    sys.stdout, sys.stderr = _lossy_stream(1), _lossy_stream(2)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)


class Tally:
    """Counts events and logs their sum once, whoever ends the run."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._reported = False

    def add(self, event: str) -> None:
        """Count one event, named in the plural as it will be logged."""
        self._events[event] += 1

    def __getitem__(self, event: str) -> int:
        return self._events[event]

    def report(self) -> None:
        """Log all counts, the first time this is called."""
        if not self._reported:
            self._reported = True
            counts = (f"{count} {event}" for event, count in self._events.items())
            _log.info("run ended: %s", ", ".join(counts) or "nothing was asked")
