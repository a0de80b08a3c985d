"""Downloads that go on where they were cut off, in this run or in the next one."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

_log = logging.getLogger(__name__)

_CHUNK = 1 << 16
_TIMEOUT_SECONDS = (10.0, 30.0)
"""To connect, and without a byte."""

_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further attempt; what gets on without a fault counts anew."""

_FINAL = range(400, 500)
_TRY_LATER = (408, 425, 429)

Progress = Callable[[int, int | None], None]
"""Is told the bytes that are there and their final number, None where that is unknown."""


class DownloadError(OSError):
    """The server does not give the file; the message says why, in one line."""


@dataclass(frozen=True)
class ResumingDownload:
    """A downloader for `pooch.retrieve` that keeps what has arrived.

    Bytes are collected in `partial`, which outlives a failure and the process, and are asked for
    from where it ends. A server that does not know ranges sends the file from its beginning.

    Attributes:
        partial: file for what has arrived; of the same content in every run.
        on_progress: is told how far it is.
    """

    partial: Path
    on_progress: Progress = lambda done, total: None

    def __call__(self, url: str, output_file: str, _pooch: Any, check_only: bool = False) -> None:
        """Put what is at `url` into `output_file`; see `pooch.HTTPDownloader`.

        Raises:
            DownloadError: the server refuses, or the connection broke again and again.
        """
        faults = 0
        while True:
            before = self._size()
            try:
                self._receive(url)
                break
            except requests.RequestException as error:
                faults = 0 if self._size() > before else faults
                if faults == len(_PAUSES):
                    raise DownloadError(_reason(error)) from error
                _log.warning("%s: %s; trying again", url, _reason(error))
                time.sleep(_PAUSES[faults])
                faults += 1
        self.partial.replace(output_file)

    def _size(self) -> int:
        return self.partial.stat().st_size if self.partial.is_file() else 0

    def _receive(self, url: str) -> None:
        start = self._size()
        # Compressed transfers would make the offsets meaningless.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_SECONDS) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                # All is there already, or it is not a part of this file: the hash will tell.
                return
            if response.status_code in _FINAL and response.status_code not in _TRY_LATER:
                raise DownloadError(f"the server answers {response.status_code} {response.reason}")
            response.raise_for_status()
            if not _continues_at(response, start):
                start = 0
            self._append(response, start)

    def _append(self, response: requests.Response, start: int) -> None:
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        done = start
        with self.partial.open("ab" if start else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                self.on_progress(done, total)


def _continues_at(response: requests.Response, start: int) -> bool:
    if start == 0 or response.status_code != requests.codes.partial_content:
        return False
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
