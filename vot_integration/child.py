"""Modules of this package in processes of their own, which end with the one that started them."""

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

_END_WITH_STDIN = "ARVOT_END_WITH_STDIN"
"""Environment variable: standard input is a pipe from a parent without which to end."""


def run_module(
    module: str,
    arguments: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    on_tick: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a module as a program and wait for it; the module calls `end_with_parent` first.

    Args:
        module: its name.
        arguments: of the program.
        cwd: working folder.
        log: file that gets the program's output.
        on_tick: called about twice a second while the program runs; what it raises ends the
            program.
        environment: variables to set besides those of this process.

    Returns:
        The exit status and the output.
    """
    command = [sys.executable, "-m", module, *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us alone, and we stop it and what it started.
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**_environment(), **(environment or {}), _END_WITH_STDIN: "1"},
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


def end_with_parent() -> None:
    """Kill this process group, a tracker included, when the parent closes our standard input.

    A parent that was killed stops nothing itself; a program left behind would write results while
    the same command, given again, does so too. Does nothing in a process that `run_module` has not
    started.
    """
    if not os.environ.pop(_END_WITH_STDIN, None):
        return

    def wait() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _environment() -> dict[str, str]:
    # Plots need no display.
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    root = package_path()
    if root is not None:
        paths = [str(root), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, so that no program and no tracker outlives us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the program, asking first, and whatever it left running."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SHUTDOWN_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
