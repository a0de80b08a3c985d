"""Whether results can be written, and why not."""

import os
import tempfile
from pathlib import Path

_PROBE_BYTES = 1 << 20
"""About what the results of a few runs take."""


def why_not_writable(folder: Path) -> str | None:
    """Write a file into a folder, and delete it.

    Args:
        folder: made if it is not there.

    Returns:
        None if that works; else the operating system's reason, such as "No space left on device".
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            # Some file systems only find out here that they are full.
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
