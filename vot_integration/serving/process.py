"""The server's process: its numerical environment, its descriptors, and its end."""

import contextlib
import faulthandler
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_S = 1.0
"""Time for the server's own loop to notice a closed connection and end in order."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that say how many threads a process computes with."""

_SPINS = "1000"
"""Looks for more work before a thread sleeps: a tenth less time a frame than none, and no more
where another process keeps a core busy; with many more that takes several times as long."""

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def watch(connection: int | None, before_exit: Callable[[], None]) -> None:
    """End the process soon after SIGTERM, SIGINT or the client's end, whatever it is doing.

    Python runs a signal handler only between two of its own instructions, and the server's loop
    meets a closed connection only at its next request; a thread reacts in the middle of a long
    computation. Call from the main thread.

    Args:
        connection: descriptor on which requests arrive, a pipe or socket; None if not known.
        before_exit: called once before the process is ended here.
    """
    ending = threading.Lock()

    def end(reason: str, code: int) -> None:
        if not ending.acquire(blocking=False):
            return
        _log.warning("%s: the process ends", reason)
        before_exit()
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(code)

    def stop(number: int, _frame: FrameType | None = None) -> None:
        # Shows what a tracker was busy with that had to be stopped.
        faulthandler.dump_traceback(sys.stderr, all_threads=True)
        end(f"stopped by {signal.Signals(number).name}", 128 + number)

    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    for number in _SIGNALS:
        signal.signal(number, stop)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def wait() -> None:
        poller = select.poll()
        poller.register(woken, select.POLLIN)
        if connection is not None:
            # No event asked for: only the hang-up is reported, requests stay where they are.
            poller.register(connection, 0)
        timeout_ms = None
        while events := poller.poll(timeout_ms):
            for descriptor, _ in events:
                if descriptor == woken:
                    for number in os.read(woken, 64):
                        if number in _SIGNALS:
                            stop(number)
                else:
                    poller.unregister(descriptor)
                    timeout_ms = _GRACE_S * 1000
        end("the client closed the connection", 1)

    threading.Thread(target=wait, name="watch", daemon=True).start()


def protect_descriptors(log: int) -> int:
    """Keep descriptors 0 and 1 for TraX alone, and point standard output and error at the log.

    The toolkit speaks TraX over the tracker's standard input and output and reads standard error
    from the same pipe: one unterminated line of a progress bar hangs the handshake or loses an
    answer. Call this before importing anything that may write.

    Args:
        log: open descriptor of the log file; it is closed here, its duplicates stay open.

    Returns:
        The descriptor on which TraX requests arrive. libtrax finds it and its counterpart in the
        environment variables TRAX_IN and TRAX_OUT.
    """
    # Duplicates made by os.dup are not inherited by child processes.
    requests, answers = os.dup(0), os.dup(1)
    os.environ["TRAX_IN"], os.environ["TRAX_OUT"] = str(requests), str(answers)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    faulthandler.enable(sys.stderr, all_threads=True)
    return requests


def set_compute_defaults() -> None:
    """Set what the user has not set: thread counts, brief waiting, reproducible cuBLAS.

    The toolkit works between two frames on the same cores, so idle threads must not spin for long:
    some 50 us (`_SPINS`), from one layer to the next. And a container's processor quota is
    invisible to OpenMP, which would start a thread per host core.
    """
    threads = str(available_cores())
    defaults = {
        "OMP_WAIT_POLICY": "PASSIVE",
        **dict.fromkeys(THREAD_VARIABLES, threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    if "OMP_WAIT_POLICY" not in os.environ:
        # It would outdo the user's policy.
        defaults["GOMP_SPINCOUNT"] = _SPINS
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def available_cores(quota_file: Path = _CPU_QUOTA) -> int:
    """Cores this process may use: its affinity, bounded by the container's quota (cgroup v2)."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = (int(word) for word in quota_file.read_text().split())
    except (OSError, ValueError):
        # No cgroup, or the quota reads "max".
        return cores
    return max(1, min(cores, -(-quota // period)))
