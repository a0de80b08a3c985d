"""Paths, and files that are written whole or not at all."""

import os
import sysconfig
import tempfile
from pathlib import Path

import vot_integration
from alpharefine.errors import UsageError

_PROBE_BYTES = 1 << 20
"""About what the results of a few runs take."""


def absolute(path: Path) -> Path:
    """The absolute path without "~" and "..", links as they are.

    Raises:
        UsageError: its name is no text in UTF-8, which text files of names are written in.
    """
    # `Path.resolve` would follow the links.
    found = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100
    try:
        str(found).encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{found}: this name is not in UTF-8: rename what it names, or link to it"
        ) from error
    return found


def write_text(file: Path, text: str) -> None:
    """Write a file in one step: other processes see the old content or the new one."""
    write_bytes(file, text.encode())


def write_bytes(file: Path, data: bytes) -> None:
    """Write a file in one step: other processes see the old content or the new one."""
    draft = make_draft(file)
    try:
        draft.write_bytes(data)
        publish(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def make_draft(file: Path) -> Path:
    """An empty, hidden file beside another one, with the same suffix, to be `publish`ed as it."""
    descriptor, name = tempfile.mkstemp(file.suffix, f".{file.stem}-", file.parent)
    os.close(descriptor)
    return Path(name)


def publish(draft: Path, file: Path) -> None:
    """Put a draft in the place of a file, in one step; everyone may read it."""
    draft.chmod(0o644)
    draft.replace(file)


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


def package_path() -> Path | None:
    """Folder to add to the module path of child processes; None when this is an installed package.

    A folder of installed packages must not be added: at the front of the path it would hide
    modules of the standard library.
    """
    root = Path(vot_integration.__path__[0]).resolve().parent
    installed = {Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "platlib")}
    return None if root in installed else root
