"""Frames of what OpenCV captures: video files, streams and cameras."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np

from alpharefine.data.images import is_name_for_opencv
from alpharefine.errors import UsageError
from alpharefine.types import Image

HIGHEST_FPS = 1000
"""More is what containers without a rate answer: units of their clock."""

_STREAM = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_DEVICE = re.compile(r"(?:/dev/video)?(\d+)")
_TIMEOUT_MS = 10_000
"""Until a stream that does not answer is given up."""


class Capture:
    """What a file, stream or camera says of itself; frames are read later.

    Args:
        source: name of a file, address of a stream, or number of a camera.
        refusal: what to say when it cannot be opened.

    Attributes:
        count: number of frames by what it says; None where it says nothing.
        fps: frames a second, likewise.

    Raises:
        UsageError: it cannot be opened.
    """

    def __init__(self, source: str | int, refusal: str) -> None:
        self._source, self._refusal = source, refusal
        capture = _open(source, refusal)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        # Cameras may have one viewer alone, so the first frames come from the same connection.
        self._ready: list[cv2.VideoCapture] = [capture]
        self.count = count if count > 0 else None
        self.fps = fps if math.isfinite(fps) and fps > 0 else None

    def frames(self) -> Iterator[Image]:
        """Frames, H x W x 3 uint8 RGB, until there are no more.

        Raises:
            UsageError: it cannot be opened.
        """
        capture = self._ready.pop() if self._ready else _open(self._source, self._refusal)
        return _frames(capture)


def capture_frames(source: str | int, refusal: str) -> Iterator[Image]:
    """Frames of anything that OpenCV captures, H x W x 3 uint8 RGB, until there are no more.

    Args:
        source: name of a file, address of a stream, or number of a camera.
        refusal: what to say when it cannot be opened.

    Raises:
        UsageError: it cannot be opened.
    """
    yield from _frames(_open(source, refusal))


def _frames(capture: cv2.VideoCapture) -> Iterator[Image]:
    try:
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    finally:
        capture.release()


def video_frames(file: Path) -> Iterator[Image]:
    """Frames of a video, H x W x 3 uint8 RGB.

    Raises:
        UsageError: the file is not a video that OpenCV can read.
    """
    return open_video(file).frames()


def is_stream(text: str) -> bool:
    """Whether a text is the address of a stream, such as rtsp://camera.local/live."""
    return _STREAM.match(text) is not None


def camera_number(text: str) -> int | None:
    """Number of a camera, given as 0 or /dev/video0; None if the text is none."""
    found = _DEVICE.fullmatch(text)
    return None if found is None else int(found[1])


def stream_name(address: str) -> str:
    """A name for what is made of a stream: the end of its path, else its host; no password."""
    parts = urlsplit(address)
    end = Path(parts.path).stem
    return re.sub(r"[^\w.+-]", "_", end or parts.hostname or "") or "stream"


def without_password(address: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"(://)[^/@]*@", r"\1...@", address)


def open_video(file: Path) -> Capture:
    """A video file.

    Raises:
        UsageError: it is empty or cut off, or not a video that OpenCV can read.
    """
    if file.stat().st_size == 0:
        raise UsageError(f"{file} is empty (0 bytes): get it again")
    if _lacks_index(file):
        raise UsageError(
            f"{file} is cut off, its index (moov) at the end is missing: get the whole file"
        )
    return Capture(str(file), f"{file} is not a video that OpenCV can read")


def _lacks_index(file: Path) -> bool:
    """Whether a file in MP4's or QuickTime's format ends before its index (ISO/IEC 14496-12)."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        place, is_mp4 = 0, False
        while place + 8 <= size:
            stream.seek(place)
            head = stream.read(16)
            length, kind = int.from_bytes(head[:4]), head[4:8]
            if place == 0:
                is_mp4 = kind in (b"ftyp", b"wide", b"mdat", b"free", b"skip")
            if not is_mp4 or kind == b"moov":
                return False
            if length == 1:
                length = int.from_bytes(head[8:16])
            if length < 8:
                break
            place += length
    return is_mp4


def _open(source: str | int, refusal: str) -> cv2.VideoCapture:
    if isinstance(source, str) and not is_name_for_opencv(source):
        raise UsageError(f"{source!r} has bytes in its name that are no UTF-8: rename it")
    if isinstance(source, str) and is_stream(source):
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT_MS]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT_MS]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    else:
        capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        capture.release()
        raise UsageError(refusal)
    return capture
