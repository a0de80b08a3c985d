"""One evaluation at a time in a workspace."""

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from alpharefine.errors import UsageError

LOCK_FILE = ".arvot.lock"

_log = logging.getLogger(__name__)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a workspace against other processes, and against a second call in this one.

    The lock is the operating system's: it ends with the process, however that ends, and a file
    that is left over means nothing.

    Args:
        folder: the workspace.

    Raises:
        UsageError: it is held by another evaluation, or cannot be written.
    """
    file = folder / LOCK_FILE
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(
            f"cannot write in {folder} ({error.strerror}): make it writable, or pass another "
            "--workspace"
        ) from error
    try:
        _lock(descriptor, folder)
        try:
            yield
        finally:
            with suppress(OSError):
                os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
        raise UsageError(
            f"another evaluation is running in {folder} ({holder or 'unknown process'}): "
            "wait for its end, or pass another --workspace"
        ) from error
    except OSError as error:
        # Some network file systems know no locks.
        _log.warning("%s cannot be locked (%s): start no second evaluation", folder, error)
        return
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
