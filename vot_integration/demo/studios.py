"""All pages that are open, each with a studio; one that was left is closed after a while."""

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vot_integration.demo.contract import Tools
from vot_integration.demo.refused import RefusedError
from vot_integration.demo.studio import Studio

MOST_STUDIOS = 8
LEFT_SECONDS = 120.0
"""How long a page may be away, as when it is loaded again, before its studio is closed."""


@dataclass
class _Entry:
    studio: Studio
    connections: int = 0
    left_at: float = field(default_factory=time.monotonic)


class Studios:
    """The studios of all open pages.

    Args:
        tools: what they work with.
        limit: bytes of a video, or of a recording.
        clock: seconds, for tests.
    """

    def __init__(
        self, tools: Tools, limit: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tools, self._limit, self._clock = tools, limit, clock
        self.folder = Path(tempfile.mkdtemp(prefix="arvot-demo-"))
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        """How many are open."""
        return len(self._entries)

    def open(self) -> str:
        """Open a studio.

        Returns:
            Its key, which cannot be guessed.

        Raises:
            RefusedError: there are too many, and none whose page has gone.
        """
        if len(self._entries) >= MOST_STUDIOS:
            self._close_longest_left()
        if len(self._entries) >= MOST_STUDIOS:
            raise RefusedError(f"{MOST_STUDIOS} pages are open already: close one of them", 503)
        key = secrets.token_urlsafe(12)
        folder = self.folder / key
        folder.mkdir()
        self._entries[key] = _Entry(Studio(folder, self._tools, self._limit), 0, self._clock())
        return key

    def get(self, key: str) -> Studio:
        """The studio of a page.

        Raises:
            RefusedError: it has been closed.
        """
        return self._entry(key).studio

    def connect(self, key: str) -> Studio:
        """The studio of a page that is there again."""
        entry = self._entry(key)
        entry.connections += 1
        return entry.studio

    def disconnect(self, key: str) -> None:
        """A page has gone, perhaps for a moment."""
        if key in self._entries:
            self._entries[key].connections -= 1
            self._entries[key].left_at = self._clock()

    def close_left(self) -> None:
        """Close the studios of pages that have been away for long."""
        before = self._clock() - LEFT_SECONDS
        for key, entry in list(self._entries.items()):
            if entry.connections == 0 and entry.left_at < before:
                del self._entries[key]
                entry.studio.close()

    def close(self) -> None:
        """Close all, and delete all files."""
        while self._entries:
            self._entries.popitem()[1].studio.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close_longest_left(self) -> None:
        left = {key: entry for key, entry in self._entries.items() if entry.connections == 0}
        if left:
            key = min(left, key=lambda key: left[key].left_at)
            self._entries.pop(key).studio.close()

    def _entry(self, key: str) -> _Entry:
        if key not in self._entries:
            raise RefusedError("this page has been closed: load it again", 410)
        return self._entries[key]
