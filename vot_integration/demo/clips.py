"""Frames by number, read when they are needed: of a video file, or as they come from a webcam."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from alpharefine.data.captures import HIGHEST_FPS, open_video
from alpharefine.data.frames import DEFAULT_FPS
from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.types import Image
from vot_integration.demo.refused import RefusedError

_NEAR = 40
"""Frames that are rather passed over than jumped."""

_SAME_MS = 0.5


class FrameReader(Protocol):
    """Reads frames in any order, quickest one after the other; for one thread."""

    def frame(self, index: int) -> Image | None:
        """Frame `index`, H x W x 3 uint8 RGB; None where it cannot be read."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Clip(Protocol):
    """Frames to track in.

    Attributes:
        name: for what is made of it.
        size: width and height, px.
        fps: frames a second.
        note: what the user should know about it, or "".
    """

    name: str
    size: tuple[int, int]
    fps: float
    note: str

    @property
    def count(self) -> int:
        """Number of frames that are there."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether more may come."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until a frame has come, or no more will."""
        ...

    def reader(self) -> FrameReader:
        """A reader of its own."""
        ...

    def delete(self) -> None:
        """Delete its files."""
        ...


def describe(clip: Clip) -> dict[str, Any]:
    """What the page shows of a clip."""
    return {
        "name": clip.name,
        "count": clip.count,
        "fps": clip.fps,
        "size": list(clip.size),
        "open": clip.is_open,
        "note": clip.note,
    }


class VideoClip:
    """A video file, whose frames are counted: what a file says of itself may be wrong.

    Args:
        file: the video.
        name: for what is made of it, and for messages.
        on_frame: is told how many frames are counted.

    Raises:
        UsageError: OpenCV cannot read it, or it has no frame.
    """

    is_open = False

    def __init__(
        self, file: Path, name: str, on_frame: Callable[[int], None] = lambda count: None
    ) -> None:
        self.name, self._file = name, file
        try:
            stated = open_video(file)
        except UsageError as error:
            raise UsageError(str(error).replace(str(file), name)) from error
        fps = stated.fps
        self.fps = fps if fps is not None and fps <= HIGHEST_FPS else DEFAULT_FPS
        self._times: list[float] = []
        capture = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
        try:
            while capture.isOpened() and capture.grab():
                self._times.append(capture.get(cv2.CAP_PROP_POS_MSEC))
                on_frame(len(self._times))
        finally:
            capture.release()
        first = self.reader().frame(0) if self._times else None
        if first is None:
            raise UsageError(f"{name} has no frame that can be read: it is cut off or damaged")
        self.size = first.shape[1], first.shape[0]
        self.note = ""
        if stated.count is not None and self.count < stated.count:
            self.note = f"the file speaks of {stated.count} frames, {self.count} could be read"

    @property
    def count(self) -> int:
        """Number of frames."""
        return len(self._times)

    def wait(self, seconds: float) -> None:
        """No frame will come."""

    def reader(self) -> "VideoReader":
        """A reader of its own."""
        return VideoReader(self._file, self._times)

    def delete(self) -> None:
        """Delete its file."""
        self._file.unlink(missing_ok=True)


class VideoReader:
    """Reads frames of a video by number, each the one that reading in order gives.

    Args:
        file: the video.
        times: of its frames in order, ms, as OpenCV gives them after each.
    """

    def __init__(self, file: Path, times: list[float]) -> None:
        self._file, self._times = file, times
        self._can_jump = bool(np.all(np.diff(times) > _SAME_MS))
        self._open()

    def frame(self, index: int) -> Image | None:
        """Frame `index`, H x W x 3 uint8 RGB; None where it cannot be read."""
        if not self._grab(index):
            return None
        there, frame = self._capture.retrieve()
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8) if there else None

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def _open(self) -> None:
        self._capture = cv2.VideoCapture(str(self._file), cv2.CAP_FFMPEG)
        self._next = 0

    def _grab(self, index: int) -> bool:
        if not 0 <= index < len(self._times):
            return False
        is_near = 0 <= index - self._next < _NEAR
        if not is_near and self._can_jump and self._jump(index):
            return True
        if index < self._next:
            self._capture.release()
            self._open()
        while self._next <= index:
            if not self._capture.grab():
                return False
            self._next += 1
        return True

    def _jump(self, index: int) -> bool:
        """Grab a frame at once; whether it is the right one is seen by its time."""
        self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        wanted = self._times[index]
        while self._capture.grab():
            time = self._capture.get(cv2.CAP_PROP_POS_MSEC)
            if abs(time - wanted) < _SAME_MS:
                self._next = index + 1
                return True
            if time > wanted:
                break
        # Somewhere: it is opened anew.
        self._next = len(self._times) + 1
        return False


class RecordedClip:
    """Frames of a webcam: JPEG files that the page sends one by one.

    Args:
        folder: for the files; is there and empty.
        fps: frames a second, for what is made of it.
        limit: bytes that may be recorded.
    """

    name = "webcam"
    note = ""

    def __init__(self, folder: Path, fps: float, limit: int) -> None:
        self.fps = fps
        self.size = (0, 0)
        self._folder, self._left = folder, limit
        self._count = 0
        self._is_open = True
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        """Number of frames that have come."""
        return self._count

    @property
    def is_open(self) -> bool:
        """Whether more may come."""
        return self._is_open

    def add(self, data: bytes) -> None:
        """Take the next frame.

        Args:
            data: JPEG file.

        Raises:
            RefusedError: it is none, has another size than the first one, or is too much; nothing
                comes any more then.
        """
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        size = (0, 0) if picture is None else (picture.shape[1], picture.shape[0])
        with self._changed:
            try:
                if picture is None:
                    raise RefusedError("a frame of the webcam is no picture", 400)
                if self._count and size != self.size:
                    raise RefusedError("the webcam has changed the size of its frames", 400)
                if len(data) > self._left:
                    raise RefusedError("the recording has reached the size limit", 413)
                self._path(self._count).write_bytes(data)
            except (RefusedError, OSError):
                self._is_open = False
                self._changed.notify_all()
                raise
            self.size = size
            self._left -= len(data)
            self._count += 1
            self._changed.notify_all()

    def end(self) -> None:
        """No more frames come."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until a frame has come, or no more will."""
        with self._changed:
            self._changed.wait(seconds)

    def reader(self) -> "RecordedClip":
        """Files are opened one by one: the clip reads itself."""
        return self

    def frame(self, index: int) -> Image | None:
        """Frame `index`, H x W x 3 uint8 RGB; None where there is none."""
        return read_frame(str(self._path(index))) if 0 <= index < self._count else None

    def close(self) -> None:
        """Nothing is open."""

    def delete(self) -> None:
        """Delete its files."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:08d}.jpg"
