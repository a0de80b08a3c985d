"""The official toolkit's command line, in a process of its own.

`python -m vot_integration.toolkit.process ARGUMENTS` is `vot ARGUMENTS` without the request to
GitHub for a newer version that every `vot` command starts with: it waits up to 5 s on a machine
without network, the answer is of no use to a pinned version, and the toolkit has no setting for it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from vot_integration.files import package_path

POLL_SECONDS = 0.5
SHUTDOWN_SECONDS = 15.0
"""Time for the toolkit to stop its tracker: 3 s after quit, 3 s after SIGTERM, then SIGKILL."""

_END_WITH_STDIN = "ARVOT_END_WITH_STDIN"
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
    command = [sys.executable, "-m", "vot_integration.toolkit.process", *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us alone, and we stop the toolkit and its tracker.
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


def _end_with_parent() -> None:
    """Kill this process group, the tracker included, when the parent closes our standard input.

    A parent that was killed stops nothing itself; a toolkit left behind would write results while
    the same command, given again, does so too.
    """

    def wait() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _repaired(action: Callable[[Any], None]) -> Callable[[Any], None]:
    """One of the toolkit's commands, with repairs that can only be made once it has begun.

    The toolkit takes its configuration from its arguments, but keeps what it was when its other
    parts were first imported.
    """

    def repair_and_act(arguments: Any) -> None:
        from vot_integration.toolkit.repairs import repair_total_failure

        repair_total_failure()
        action(arguments)

    return repair_and_act


def main() -> None:
    """Run the toolkit's own command line on this process's arguments."""
    if os.environ.pop(_END_WITH_STDIN, None):
        _end_with_parent()

    from vot.utilities import cli

    for name in ("do_analysis", "do_report"):
        setattr(cli, name, _repaired(getattr(cli, name)))
    cli.check_updates = lambda: (False, None)
    cli.main()


if __name__ == "__main__":
    main()
