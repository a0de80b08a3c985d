"""Videos, streams, folders of images, cameras and arrays, all as frames one after the other."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from os import PathLike
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.captures import (
    HIGHEST_FPS,
    Capture,
    camera_number,
    capture_frames,
    is_stream,
    open_video,
    stream_name,
    without_password,
)
from alpharefine.data.images import (
    IMAGE_SUFFIXES,
    is_data,
    list_folders,
    list_images,
    natural_order,
    read_frame,
)
from alpharefine.errors import UsageError
from alpharefine.inputs import ImageLike, as_image
from alpharefine.types import Image

DEFAULT_FPS = 30.0
"""Of what does not say."""

FrameInput = str | PathLike[str] | NDArray[np.uint8] | Iterable[ImageLike | None]
"""A video file, a folder of images, a pattern of their names such as frames/%05d.jpg or
"frames/*.jpg", the address of a stream, a camera's number as text, a T x H x W x 3 array, or frames
one after the other."""

_NUMBER_PATTERN = re.compile(r"%0?(\d*)d")
_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)")
_SHOWN = 3


@dataclass(frozen=True)
class FrameSource:
    """Frames to track in.

    Attributes:
        name: for the files that are made of it.
        frames: gives H x W x 3 uint8 RGB images; None where one cannot be read.
        count: number of frames by what the source says, None where it is not known.
        stated_fps: frames a second by what the source says, None where it says nothing.
        is_live: whether frames come without end, as from a camera.
        files: image files that the frames are read from, if so.
        start: number of the first frame in the source, from 1.
        origin: what the user gave, for messages.
    """

    name: str
    frames: Callable[[], Iterator[Image | None]]
    count: int | None = None
    stated_fps: float | None = None
    is_live: bool = False
    files: Sequence[Path] = ()
    start: int = 1
    origin: str = "the frames"

    @property
    def fps(self) -> float:
        """Frames a second, a usable number."""
        stated = self.stated_fps
        return stated if stated is not None and stated <= HIGHEST_FPS else DEFAULT_FPS


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


def files_source(name: str, files: Sequence[Path], fps: float | None = None) -> FrameSource:
    """Image files as frames, in their order."""
    return FrameSource(
        name,
        lambda: (read_frame(str(file)) for file in files),
        len(files),
        fps,
        files=files,
        origin=str(files[0].parent),
    )


def begin_at(source: FrameSource, start: int) -> FrameSource:
    """The same frames from a later one on.

    Args:
        source: all frames.
        start: number of the frame to begin with, from 1.

    Raises:
        UsageError: there is no such frame, as far as the source says how many it has.
    """
    if start < 1 or (source.count is not None and start > source.count):
        has = "" if source.count is None else f" to {source.count}, the last"
        raise UsageError(f"{source.origin} has no frame {start}: give a number from 1{has}")
    if start == 1:
        return source
    if source.files:
        cut = files_source(source.name, source.files[start - 1 :], source.stated_fps)
        return replace(cut, start=start)
    count = None if source.count is None else source.count - start + 1
    return replace(
        source, frames=lambda: islice(source.frames(), start - 1, None), count=count, start=start
    )


def first_frame(source: FrameSource) -> tuple[Image, Iterator[Image | None]]:
    """The first frame, and an iterator over all frames, the first one again included.

    Raises:
        UsageError: there is no frame, or the first one cannot be read.
    """
    frames = source.frames()
    image = next(frames, None)
    if image is None:
        place = str(source.files[0]) if source.files else f"frame {source.start} of {source.origin}"
        raise UsageError(f"the first frame ({place}) cannot be read: check the file")
    return image, chain([image], frames)


def gap_notes(files: Sequence[Path]) -> list[str]:
    """What to say where frames that are numbered have gaps: a line, or none.

    They are tracked in one after the other. Every fifth frame is no gap if most are so, and times
    are no numbers.

    Args:
        files: image files in their order.
    """
    named = [_LAST_NUMBER.fullmatch(file.stem) for file in files]
    matches = [match for match in named if match is not None]
    if len(matches) < len(named) or len({(match[1], match[3]) for match in matches}) != 1:
        return []
    steps = [int(b[2]) - int(a[2]) for a, b in pairwise(matches)]
    step = min(steps, default=0)
    if step < 1 or steps.count(step) * 2 < len(steps) or max(steps) == step:
        return []
    before = files[next(place for place, each in enumerate(steps) if each > step)]
    missing = sum(each // step - 1 for each in steps)
    words = "frame seems" if missing == 1 else "frames seem"
    return [
        f"{missing} {words} to be missing in {files[0].parent}, the first after {before.name}: "
        "those that are there are taken one after the other"
    ]


def cut_off(source: FrameSource, found: int) -> str | None:
    """What to say where a source has ended before all frames that it speaks of.

    Args:
        source: that has come to its end.
        found: how many frames it had.
    """
    if source.count is None or source.is_live or found >= source.count:
        return None
    stated, read = (number + source.start - 1 for number in (source.count, found))
    return (
        f"{source.origin} speaks of {stated} frames, {read} could be read: it is cut off or damaged"
    )


def _open_named(source: str) -> FrameSource:
    if not source:
        raise UsageError("the source has no name: give a video, folder, stream or camera")
    if is_stream(source):
        return _open_stream(source)
    path = Path(source).expanduser()
    if path.is_dir():
        return _open_folder(path)
    if path.is_file():
        return _open_video(path)
    if "%" in path.name or "*" in path.name:
        files = _matching(path)
        return files_source(path.absolute().parent.name, files)
    number = camera_number(source)
    if number is not None:
        refusal = f"camera {number} cannot be opened; give a video file or a folder"
        return FrameSource(
            f"camera{number}",
            lambda: capture_frames(number, refusal),
            is_live=True,
            origin=f"camera {number}",
        )
    raise UsageError(f"there is no video, folder, stream or camera {source}")


def _open_folder(path: Path) -> FrameSource:
    files = list_images(path)
    if files:
        return files_source(path.resolve().name, files)
    below = [folder.name for folder in list_folders(path) if list_images(folder)]
    inside = f"; give a folder in it, such as {', '.join(below[:_SHOWN])}" if below else ""
    raise UsageError(f"{path} holds no .jpg, .png, .bmp or .webp frames{inside}")


def _open_video(path: Path) -> FrameSource:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        # OpenCV would take it for one of a series, and look for the others by itself.
        raise UsageError(f"{path} is a picture: give the folder of the frames, or a video")
    video = open_video(path)
    return FrameSource(path.stem, video.frames, video.count, video.fps, origin=str(path))


def _open_stream(address: str) -> FrameSource:
    parts = address.split("://", 1)
    if parts[0].lower() == "file":
        return _open_named(unquote(parts[1]))
    shown = without_password(address)
    refusal = f"{shown} cannot be opened: check the address, and that something answers there"
    stream = Capture(address, refusal)
    return FrameSource(
        stream_name(address),
        stream.frames,
        stream.count,
        stream.fps,
        is_live=stream.count is None,
        origin=shown,
    )


def _matching(path: Path) -> list[Path]:
    """Files whose names fit a pattern with a number (%05d) or with stars.

    Raises:
        UsageError: there are none, or the numbers have holes.
    """
    pattern = _NUMBER_PATTERN.search(path.name)
    there = list(path.parent.iterdir()) if path.parent.is_dir() else []
    candidates = (p for p in there if is_data(p) and p.suffix.lower() in IMAGE_SUFFIXES)
    if pattern is None:
        files = sorted((p for p in candidates if p.match(path.name)), key=natural_order)
        if not files:
            raise UsageError(f"no picture is called {path}")
        return files
    digits = rf"(\d{{{pattern[1]},}})" if pattern[1] else r"(\d+)"
    before, after = path.name[: pattern.start()], path.name[pattern.end() :]
    form = re.compile(re.escape(before) + digits + re.escape(after))
    found = {int(match[1]): p for p in candidates if (match := form.fullmatch(p.name))}
    if not found:
        raise UsageError(f"no picture is called {path} with a number in place of {pattern[0]}")
    numbers = sorted(found)
    step = min((b - a for a, b in pairwise(numbers)), default=1)
    hole = next((n for n in range(numbers[0], numbers[-1], step) if n not in found), None)
    if hole is not None:
        raise UsageError(
            f"{path}: number {hole} is missing between {numbers[0]} and {numbers[-1]}: add it, or "
            f"give the folder {path.parent}, of which every picture is a frame"
        )
    return [found[number] for number in numbers]


def _checked(frame: ImageLike | None) -> Image | None:
    return None if frame is None else as_image(frame)
