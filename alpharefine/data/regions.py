"""Regions as text, one a line: rectangles, polygons and masks."""

import math
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.text import NUMBER_COMMENTS, read_lines
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Mask

_SEPARATORS = re.compile("[,;]")
_COMMENT = re.compile("(" + "|".join(map(re.escape, NUMBER_COMMENTS)) + ").*")


def read_numbers(path: Path) -> NDArray[np.float32]:
    """Rows of numbers separated by commas, semicolons, tabs or spaces, N x K.

    Comments (#, //, %) are left out, on lines of their own or behind numbers, and so are blank
    lines before the first and after the last row. Blank lines between rows are refused: leaving
    them out would move all rows behind them to other frames.

    Raises:
        FrameError: the file is missing, empty, or its rows are not numbers of equal count.
    """
    rows: list[list[float]] = []
    for number, line in read_lines(path, NUMBER_COMMENTS):
        if not line and not rows:
            continue
        try:
            row = [float(value) for value in _SEPARATORS.sub(" ", _COMMENT.sub("", line)).split()]
        except ValueError:
            row = []
        if not row:
            raise FrameError(f"{path}: not rows of numbers (line {number} is {line[:40]!r})")
        if rows and len(row) != len(rows[0]):
            counts = f"{len(row)} in line {number}, {len(rows[0])} before"
            raise FrameError(f"{path}: not rows of numbers of equal count ({counts})")
        rows.append(row)
    if not rows:
        raise FrameError(f"{path}: holds no rows of numbers")
    return np.array(rows, dtype=np.float32)


def read_boxes(path: Path) -> NDArray[np.float32]:
    """Boxes x, y, w, h, one a row, N x 4.

    Raises:
        FrameError: the file is missing or its rows do not have four numbers.
    """
    boxes = read_numbers(path)
    if boxes.shape[1] != 4:
        raise FrameError(f"{path}: {boxes.shape[1]} numbers in a row, expected x,y,w,h")
    return boxes


def parse_mask(text: str, height: int, width: int) -> Mask:
    """Mask of a height x width image from `m<x0>,<y0>,<w>,<h>,<run>,<run>,...`.

    Runs go row by row inside the box, the first one counting zeros.

    Raises:
        ValueError: the text is not such a mask.
    """
    x, y, w, h, *runs = (int(v) for v in text.lstrip("m").split(","))
    if w * h < sum(runs) or min(w, h) < 0:
        raise ValueError("runs do not fit their box")
    values = np.arange(len(runs)) % 2
    flat = np.zeros(w * h, dtype=np.uint8)
    filled = np.repeat(values, runs)
    flat[: filled.size] = filled
    mask = np.zeros((height, width), dtype=np.uint8)
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = max(min(x + w, width), x1), max(min(y + h, height), y1)
    mask[y1:y2, x1:x2] = flat.reshape(h, w)[y1 - y : y2 - y, x1 - x : x2 - x]
    return mask


def parse_box(text: str) -> Box | None:
    """Box of a rectangle (4 numbers) or around a polygon (6 or more); None when absent.

    Raises:
        ValueError: the text is neither.
    """
    numbers = [float(v) for v in text.split(",")]
    if len(numbers) == 1 or any(math.isnan(v) for v in numbers):
        return None
    if len(numbers) == 4:
        return Box(*numbers)
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers, expected 4 or an even count from 6")
    x1, y1, x2, y2 = min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
    return Box(x1, y1, x2 - x1, y2 - y1)


class RegionTrack:
    """Regions kept as text, for masks are small that way.

    Args:
        path: file with a region a line.

    Raises:
        FrameError: the file is missing or a line is not a region.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._lines = [line for _, line in read_lines(path, NUMBER_COMMENTS)]
            self.visible = np.array([_is_present(line) for line in self._lines], dtype=np.bool_)
        except ValueError as error:
            raise FrameError(f"{path}: not a region a line ({error})") from error
        self._path = path
        self.has_masks = any(line.startswith("m") for line in self._lines)

    def target(self, t: int, height: int, width: int) -> tuple[Box, Mask | None]:
        """See `alpharefine.data.source.Track`."""
        line = self._lines[t]
        mask = parse_mask(line, height, width) if line.startswith("m") else None
        box = parse_box(line) if mask is None else mask_to_box(mask)
        if box is None or not box.is_valid:
            raise FrameError(f"{self._path}: no target in line {t + 1}")
        return box, mask


def _is_present(line: str) -> bool:
    if line.startswith("m"):
        return sum(int(v) for v in line.split(",")[5::2]) > 0
    box = parse_box(line)
    return box is not None and box.is_valid
