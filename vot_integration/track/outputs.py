"""What is kept of a tracked video: an overlay, masks, boxes. Each is there whole or not at all."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np

from alpharefine.errors import UsageError
from alpharefine.types import Image
from vot_integration.files import make_draft, publish, write_text
from vot_integration.regions.drawing import (
    Label,
    answer_color,
    draw_shape,
    write_caption,
    write_labels,
)
from vot_integration.toolkit.regions import shape_mask
from vot_integration.track.follower import Answer

CODECS = {".mp4": "mp4v", ".avi": "MJPG", ".mkv": "mp4v"}
"""Codecs that OpenCV's wheels bring along, by the suffix of the file."""

ONE_TARGET = ("1",)


class Sink(Protocol):
    """Takes frames with their answers; a context manager that finishes or discards its output."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def write(self, image: Image, answers: Sequence[Answer]) -> None:
        """Take the next frame, with an answer for each target."""


class OverlayVideo:
    """A video with the answers drawn into it, in a color for each target.

    Args:
        file: to write; its suffix is a key of `CODECS`.
        fps: frames a second.
        names: of the targets.
        start: number of the first frame.
    """

    def __init__(
        self, file: Path, fps: float, names: Sequence[str] = ONE_TARGET, start: int = 1
    ) -> None:
        if file.suffix.lower() not in CODECS:
            known = ", ".join(CODECS)
            raise UsageError(f"--out {file}: the name of a video ends in {known}")
        self._file, self._fps, self._names = file, fps, names
        self._number = start - 1
        self._size = (0, 0)
        self._writer: cv2.VideoWriter | None = None

    def __enter__(self) -> Self:
        self._draft = make_draft(self._file)
        return self

    def write(self, image: Image, answers: Sequence[Answer]) -> None:
        """See `Sink`."""
        if self._writer is None:
            height, width = image.shape[:2]
            self._size = width, height
            codec = cv2.VideoWriter.fourcc(*CODECS[self._file.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self._draft), codec, self._fps, self._size)
            if not self._writer.isOpened():
                raise UsageError(f"--out {self._file}: OpenCV cannot write it; try a name in .avi")
        self._number += 1
        picture = image.copy()
        for place, answer in enumerate(answers):
            if answer.shape is not None:
                draw_shape(picture, answer.shape, answer_color(place), answer.box)
        # Text comes after all shapes, so that none hides it.
        self._write_text(picture, answers)
        # A frame of another size would be left out without a word.
        self._writer.write(cv2.cvtColor(_fit(picture, *self._size), cv2.COLOR_RGB2BGR))

    def _write_text(self, picture: Image, answers: Sequence[Answer]) -> None:
        confidences = [
            "" if answer.confidence is None else f"  {answer.confidence:.2f}" for answer in answers
        ]
        if len(answers) == 1:
            write_caption(picture, f"{self._number}{confidences[0]}")
            return
        labels = [
            Label(f"{name}{confidences[place]}", answer.box, answer_color(place))
            for place, (name, answer) in enumerate(zip(self._names, answers, strict=True))
            if answer.shape is not None
        ]
        write_labels(picture, labels)
        write_caption(picture, str(self._number))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        if kind is None and self._writer is not None:
            publish(self._draft, self._file)
        self._draft.unlink(missing_ok=True)


class MaskFolder:
    """A PNG mask {0, 255} for each frame, the pixels of what is answered: 00000001.png, ...

    Args:
        folder: must not be there; of several targets, each has a folder of its name in it.
        names: of the targets.
        start: number of the first frame.
    """

    def __init__(self, folder: Path, names: Sequence[str] = ONE_TARGET, start: int = 1) -> None:
        if folder.exists():
            raise UsageError(f"--save-masks {folder} is there already: name a new folder")
        if not folder.absolute().parent.is_dir():
            raise UsageError(f"--save-masks {folder}: there is no folder {folder.parent}")
        self._folder = folder
        self._parts = [Path()] if len(names) == 1 else [Path(name) for name in names]
        self._number = start - 1

    def __enter__(self) -> Self:
        name = f".{self._folder.name}-"
        self._draft = Path(tempfile.mkdtemp(prefix=name, dir=self._folder.absolute().parent))
        for part in self._parts:
            (self._draft / part).mkdir(exist_ok=True)
        return self

    def write(self, image: Image, answers: Sequence[Answer]) -> None:
        """See `Sink`."""
        self._number += 1
        for part, answer in zip(self._parts, answers, strict=True):
            mask = shape_mask(answer.shape, *image.shape[:2])
            file = self._draft / part / f"{self._number:08d}.png"
            cv2.imwrite(str(file), mask * np.uint8(255))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self._draft.chmod(0o755)
            self._draft.replace(self._folder)
        else:
            shutil.rmtree(self._draft, ignore_errors=True)


def box_paths(file: Path, names: Sequence[str]) -> list[Path]:
    """Where boxes are written: a file a target, boxes.txt or boxes_1.txt, boxes_2.txt, ..."""
    if len(names) == 1:
        return [file]
    return [file.with_name(f"{file.stem}_{name}{file.suffix}") for name in names]


class BoxFiles:
    """x,y,w,h in a line for each frame, as `arvot sequences convert --boxes` takes them.

    Args:
        files: to write, one a target.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._lines: list[list[str]] = [[] for _ in files]

    def __enter__(self) -> Self:
        return self

    def write(self, image: Image, answers: Sequence[Answer]) -> None:
        """See `Sink`."""
        for lines, answer in zip(self._lines, answers, strict=True):
            lines.append(",".join(f"{number:.2f}" for number in answer.box))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            for file, lines in zip(self._files, self._lines, strict=True):
                write_text(file, "".join(f"{line}\n" for line in lines))


def _fit(picture: Image, width: int, height: int) -> Image:
    """A picture in the size of the video, whole and with its proportions, on black."""
    h, w = picture.shape[:2]
    if (w, h) == (width, height):
        return picture
    scale = min(width / w, height / h)
    size = max(1, round(w * scale)), max(1, round(h * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[y : y + size[1], x : x + size[0]] = cv2.resize(picture, size)
    return canvas
