"""Videos, folders of frames and cameras, all as frames one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2

from alpharefine.errors import UsageError
from alpharefine.training.data.files import list_images
from alpharefine.types import Image
from vot_integration.convert.video import capture_frames, video_frames
from vot_integration.sequences.folder import (
    PROPERTIES_FILE,
    SequenceFolder,
    read_sequence_folder,
)
from vot_integration.sequences.frames import read_frame

_DEFAULT_FPS = 30.0


@dataclass(frozen=True)
class FrameSource:
    """Frames to track in.

    Attributes:
        name: for the files that are made of it.
        frames: gives H x W x 3 uint8 RGB images; None where one cannot be read.
        count: number of frames, None where it is not known.
        fps: frames a second.
        is_live: whether frames come without end, as from a camera.
        sequence: the VOT sequence that it is, if any.
    """

    name: str
    frames: Callable[[], Iterator[Image | None]]
    count: int | None
    fps: float
    is_live: bool = False
    sequence: SequenceFolder | None = None


def open_source(source: str) -> FrameSource:
    """Open what the user names; frames are read later.

    Args:
        source: a video file, a folder of frames, a sequence in VOT format, or a camera's number.

    Raises:
        UsageError: it is none of these.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        return _open_video(path)
    if source.isdecimal():
        return FrameSource(
            f"camera{source}", lambda: _camera(int(source)), None, _DEFAULT_FPS, True
        )
    raise UsageError(f"there is no video, folder or camera {source}")


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


def _open_folder(path: Path) -> FrameSource:
    if (path / PROPERTIES_FILE).is_file():
        sequence = read_sequence_folder(path)
        files, fps = list(sequence.frames), float(sequence.fps)
    else:
        sequence, files, fps = None, list_images(path), _DEFAULT_FPS
    if not files:
        raise UsageError(f"{path} holds no .jpg, .png, .bmp or .webp frames")
    name = path.resolve().name
    return FrameSource(
        name, lambda: (read_frame(str(file)) for file in files), len(files), fps, sequence=sequence
    )


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
        path.stem, lambda: video_frames(path), count if count > 0 else None, fps or _DEFAULT_FPS
    )


def _camera(number: int) -> Iterator[Image]:
    refusal = f"camera {number} cannot be opened; give a video file or a folder"
    return capture_frames(number, refusal)
