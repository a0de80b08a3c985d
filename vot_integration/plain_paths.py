"""Paths that the TraX library and the toolkit can carry: links for all others.

libtrax (4.0) breaks a session off at the first byte beyond ASCII, in whatever is sent, and toolkit
0.7 takes the percent signs and brackets in a sequence's path for patterns. A link has a path with
neither, whatever it leads to.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from alpharefine.errors import UsageError

_SPECIAL = frozenset(f"%[]*?{os.pathsep}")
"""Characters that stand for something else in patterns and in lists of paths."""

_SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
"""Where links are put when the folder for temporary files has no plain path itself."""


def is_plain(path: str) -> bool:
    """Whether a path, or a part of one, means itself to the TraX library and to the toolkit."""
    return path.isascii() and _SPECIAL.isdisjoint(path)


def plain_text(text: str) -> str:
    """Text for a TraX message: characters beyond ASCII are written as escapes."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


class PlainPaths:
    """Gives plain paths to files and folders, and keeps the links that they need until `close`."""

    def __init__(self) -> None:
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._links: dict[str, str] = {}

    def of(self, path: str) -> str:
        """The path, or that of a link to it, with the same suffix where that is plain.

        Raises:
            UsageError: no folder for links can be found.
        """
        if is_plain(path):
            return path
        if path not in self._links:
            suffix = Path(path).suffix
            name = f"{len(self._links) + 1}{suffix if is_plain(suffix) else ''}"
            link = Path(self._folder(), name)
            link.symlink_to(Path(path).absolute())
            self._links[path] = str(link)
        return self._links[path]

    def of_file(self, path: str) -> str:
        """As `of`, with one link for all files of a folder whose own names are plain."""
        folder, name = os.path.split(path)
        return os.path.join(self.of(folder), name) if is_plain(name) else self.of(path)  # noqa: PTH118

    def close(self) -> None:
        """Remove the links; they are also removed when the process ends in order."""
        self._links.clear()
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def _folder(self) -> str:
        if self._home is None:
            self._home = next(_plain_folders(), None)
        if self._home is None:
            raise UsageError(
                f"the TraX library needs a folder for links with a path of ASCII characters, and "
                f"{tempfile.gettempdir()} is none: set TMPDIR to one that can be written"
            )
        return self._home.name


def _plain_folders() -> Iterator[tempfile.TemporaryDirectory[str]]:
    for folder in (tempfile.gettempdir(), *_SHARED_FOLDERS):
        if is_plain(folder):
            try:
                yield tempfile.TemporaryDirectory(prefix="arvot-", dir=folder)
            except OSError:
                continue
