"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from alpharefine.errors import UsageError


def absolute(path: Path) -> Path:
    """The absolute path without "~" and "..", links as they are."""
    # `Path.resolve` would follow the links.
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100


def write_text(file: Path, text: str) -> None:
    """Write a file in one step: other processes see the old content or the new one."""
    write_bytes(file, text.encode())


def write_bytes(file: Path, data: bytes) -> None:
    """Write a file in one step: other processes see the old content or the new one."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def check_target(file: Path, option: str) -> None:
    """Check, before long work, that a file can be written.

    Args:
        file: to be written.
        option: of the command line, that names it.

    Raises:
        UsageError: it is a folder, or its folder is not there.
    """
    if file.is_dir():
        raise UsageError(f"{option} {file} is a folder; name a file in it")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{option} {file}: there is no folder {file.parent}; make it first")
