"""The log file of one run of the server."""

import contextlib
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


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


def _folders() -> Iterator[Path]:
    chosen = os.environ.get("ARVOT_LOG_DIR")
    if chosen:
        yield Path(chosen).expanduser()
    state = os.environ.get("XDG_STATE_HOME")
    # A user without a home folder makes expanduser raise RuntimeError.
    with contextlib.suppress(RuntimeError):
        yield Path(state or "~/.local/state").expanduser() / "arvot" / "logs"
    yield Path(tempfile.gettempdir()) / "arvot-logs"


def log_to_stderr() -> None:
    """Send every log record, with its time, to standard error (the run's log file)."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            # Lines appear in order, and text in any encoding never raises.
            stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
