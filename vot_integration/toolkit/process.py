"""The toolkit's command line in a process of its own; see `vot_integration.toolkit.__main__`."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from vot_integration.files import package_path

POLL_SECONDS = 0.5
SHUTDOWN_SECONDS = 15.0
"""Time for the toolkit to stop its tracker: 3 s after quit, 3 s after SIGTERM, then SIGKILL."""

END_WITH_STDIN = "ARVOT_END_WITH_STDIN"
"""Environment variable: standard input is a pipe from a parent without which to end."""


def run_toolkit(
    arguments: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    on_tick: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run one `vot` command and wait for it.

    Args:
        arguments: arguments of `vot`, the verb first.
        cwd: working folder; its trackers.ini is searched by the toolkit.
        log: file that gets the command's output.
        on_tick: called about twice a second while the command runs; what it raises ends the
            command.
        environment: variables to set besides those of this process.

    Returns:
        The exit status and the output. Mind that `vot` exits 0 when a tracker fails.
    """
    command = [sys.executable, "-m", "vot_integration.toolkit", *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us alone, and we stop the toolkit and its tracker.
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**_environment(), **(environment or {}), END_WITH_STDIN: "1"},
            # Nothing is ever written to it: it closes when we end, however that happens.
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with termination_interrupts():
                while process.poll() is None:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(POLL_SECONDS)
                    on_tick()
        finally:
            _stop(process)
            if process.stdin is not None:
                process.stdin.close()
    return process.returncode, log.read_text(encoding="utf-8", errors="replace")


def _environment() -> dict[str, str]:
    # The persistent cache never notices changed results. Plots need no display.
    environment = {**os.environ, "VOT_PERSISTENT_CACHE": "false", "MPLBACKEND": "Agg"}
    root = package_path()
    if root is not None:
        paths = [str(root), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, so that no toolkit and no tracker outlives us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the toolkit, asking first, and whatever it left running."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SHUTDOWN_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
