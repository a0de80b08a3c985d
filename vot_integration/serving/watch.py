"""A thread that ends the process when it is told to stop or its client is gone."""

import contextlib
import faulthandler
import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_S = 1.0
"""Time for the server's own loop to notice a closed connection and end in order."""


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
