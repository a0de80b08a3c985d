"""The folder of one page's work."""

import shutil
import threading
from pathlib import Path


class StudioFiles:
    """Gives names for what is uploaded and made; safe to use from threads.

    Args:
        folder: exists; deleted at the end.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._count = 0
        self._downloads: dict[str, Path] = {}

    def new(self, suffix: str) -> Path:
        """A name in the folder that has not been used."""
        with self._lock:
            self._count += 1
            return self.folder / f"{self._count:04d}{suffix}"

    def new_download(self, kind: str) -> Path:
        """A folder for a file to download; that of the one before, of the same kind, is deleted."""
        folder = self.new("")
        with self._lock:
            before = self._downloads.get(kind)
            self._downloads[kind] = folder
        if before is not None:
            shutil.rmtree(before, ignore_errors=True)
        folder.mkdir()
        return folder

    def delete(self) -> None:
        """Delete the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
