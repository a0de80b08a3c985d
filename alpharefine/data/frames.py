"""Videos, streams, folders of images, cameras and arrays, all as frames one after the other."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import list_images, read_frame
from alpharefine.errors import UsageError
from alpharefine.inputs import ImageLike, as_image
from alpharefine.types import Image

DEFAULT_FPS = 30.0
"""Of what does not say."""

FrameInput = str | PathLike[str] | NDArray[np.uint8] | Iterable[ImageLike | None]
"""A video file, a folder of images, the address of a stream, a camera's number as text, a
T x H x W x 3 array, or frames one after the other."""


@dataclass(frozen=True)
class FrameSource:
    """Frames to track in.

    Attributes:
        name: for the files that are made of it.
        frames: gives H x W x 3 uint8 RGB images; None where one cannot be read.
        count: number of frames, None where it is not known.
        fps: frames a second.
        is_live: whether frames come without end, as from a camera.
    """

    name: str
    frames: Callable[[], Iterator[Image | None]]
    count: int | None = None
    fps: float = DEFAULT_FPS
    is_live: bool = False


def open_source(source: FrameInput) -> FrameSource:
    """Open what the user names or has; frames are read later.

    Args:
        source: see `FrameInput`.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(source, str | PathLike):
        return _open_named(str(source))
    count = len(source) if isinstance(source, Sequence | np.ndarray) else None
    return FrameSource("frames", lambda: map(_checked, source), count)


def files_source(name: str, files: Sequence[Path], fps: float = DEFAULT_FPS) -> FrameSource:
    """Image files as frames, in their order."""
    return FrameSource(name, lambda: (read_frame(str(file)) for file in files), len(files), fps)


def first_frame(source: FrameSource) -> tuple[Image, Iterator[Image | None]]:
    """The first frame, and an iterator over all frames, the first one again included.

    Raises:
        UsageError: there is no frame, or the first one cannot be read.
    """
    frames = source.frames()
    image = next(frames, None)
    if image is None:
        raise UsageError(f"the first frame of {source.name} cannot be read: check the file")
    return image, chain([image], frames)


def video_frames(file: Path) -> Iterator[Image]:
    """Frames of a video, H x W x 3 uint8 RGB.

    Raises:
        UsageError: the file is not a video that OpenCV can read.
    """
    return capture_frames(str(file), f"{file} is not a video that OpenCV can read")


def capture_frames(source: str | int, refusal: str) -> Iterator[Image]:
    """Frames of anything that OpenCV captures, H x W x 3 uint8 RGB, until there are no more.

    Args:
        source: name of a file or stream, or number of a camera.
        refusal: what to say when it cannot be opened.

    Raises:
        UsageError: it cannot be opened.
    """
    capture = cv2.VideoCapture(source)
    try:
        if not capture.isOpened():
            raise UsageError(refusal)
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    finally:
        capture.release()


def _open_named(source: str) -> FrameSource:
    path = Path(source).expanduser()
    if path.is_dir():
        files = list_images(path)
        if not files:
            raise UsageError(f"{path} holds no .jpg, .png, .bmp or .webp frames")
        return files_source(path.resolve().name, files)
    if path.is_file():
        return _open_video(path)
    if source.isdecimal():
        refusal = f"camera {source} cannot be opened; give a video file or a folder"
        return FrameSource(
            f"camera{source}", lambda: capture_frames(int(source), refusal), is_live=True
        )
    raise UsageError(f"there is no video, folder or camera {source}")


def _open_video(path: Path) -> FrameSource:
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise UsageError(f"{path} is not a video that OpenCV can read")
        # Both numbers are what the file says of itself, and only used for display.
        count = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = float(video.get(cv2.CAP_PROP_FPS))
    finally:
        video.release()
    return FrameSource(
        path.stem, lambda: video_frames(path), count if count > 0 else None, fps or DEFAULT_FPS
    )


def _checked(frame: ImageLike | None) -> Image | None:
    return None if frame is None else as_image(frame)
