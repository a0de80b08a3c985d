"""Regions as text, one a line: rectangles, polygons and masks."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.text import NUMBER_COMMENTS, read_lines, refuse_decimal_commas
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Mask

_SEPARATORS = re.compile("[,;]")
_VATIC_FIELDS = 9
_LARGEST = float(np.finfo(np.float32).max)
_COMMENT = re.compile("(" + "|".join(map(re.escape, NUMBER_COMMENTS)) + ").*")


def read_numbers(path: Path) -> NDArray[np.float32]:
    """Rows of numbers separated by commas, semicolons, tabs or spaces, N x K.

    Comments (#, //, %) are left out, on lines of their own or behind numbers, and so are blank
    lines before the first and after the last row. Blank lines between rows are refused: leaving
    them out would move all rows behind them to other frames.

    Raises:
        FrameError: the file is missing, empty, or its rows are not numbers of equal count.
    """
    rows = list(_number_rows(path))
    first = len(rows[0][1])
    for number, row in rows:
        if len(row) != first:
            counts = f"{len(row)} in line {number}, {first} before"
            raise FrameError(f"{path}: not rows of numbers of equal count ({counts})")
    return np.array([row for _, row in rows], dtype=np.float32)


def _number_rows(path: Path) -> Iterator[tuple[int, list[float]]]:
    """Rows of numbers with the numbers of their lines, at least one."""
    is_empty = True
    for number, line in read_lines(path, NUMBER_COMMENTS):
        if not line and is_empty:
            continue
        line = _COMMENT.sub("", line)
        refuse_decimal_commas(line, f"{path}, line {number}")
        values = _SEPARATORS.sub(" ", line).split()
        try:
            row = [float(value) for value in values]
        except ValueError:
            row = []
        if not row:
            raise FrameError(f"{path}: not rows of numbers (line {number} is {line[:40]!r})")
        for value, text in zip(row, values, strict=True):
            if abs(value) > _LARGEST and any(map(str.isdecimal, text)):
                raise FrameError(f"{path}: {text[:40]} in line {number} is too large a number")
        is_empty = False
        yield number, row
    if is_empty:
        raise FrameError(f"{path}: holds no rows of numbers")


@dataclass(frozen=True)
class RegionRows:
    """Rectangles and polygons, one a frame.

    Attributes:
        boxes: x, y, w, h, N x 4, around polygons; NaN where the target is absent.
        corners: of the rows that are polygons, K x 2.
    """

    boxes: NDArray[np.float32]
    corners: Mapping[int, NDArray[np.float64]]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.boxes)


def read_regions(path: Path) -> RegionRows:
    """Rows of x, y, w, h, of the corners x1, y1, x2, y2, ... of polygons, or of one number: absent.

    Text is as of `read_numbers`.

    Raises:
        FrameError: the file is missing or a row is none of these, or all are single numbers.
    """
    boxes, corners = [], {}
    rows = list(_number_rows(path))
    for index, (number, row) in enumerate(rows):
        if len(row) not in (1, 4) and (len(row) < 6 or len(row) % 2):
            raise FrameError(
                f"{path}: {len(row)} numbers in line {number}, expected x,y,w,h or the corners "
                "x1,y1,x2,y2,... of a polygon"
            )
        if len(row) >= 6:
            corners[index] = np.array(row, dtype=np.float64).reshape(-1, 2)
        boxes.append(_row_box(row))
    if all(len(row) == 1 for _, row in rows):
        raise FrameError(f"{path}: 1 number in a row, expected x,y,w,h")
    if min(len(row) for _, row in rows) >= 9 and all(row[-1] == row[-2] == -1 for _, row in rows):
        raise FrameError(
            f"{path}: {len(rows[0][1])} numbers in a row that end in -1, as of detections in MOT's "
            "format, expected x,y,w,h of one target"
        )
    return RegionRows(np.array(boxes, dtype=np.float32), corners)


def _row_box(row: Sequence[float]) -> tuple[float, float, float, float]:
    if len(row) == 4:
        return row[0], row[1], row[2], row[3]
    if len(row) == 1 or not all(map(math.isfinite, row)):
        return (math.nan,) * 4
    left, top, right, bottom = min(row[::2]), min(row[1::2]), max(row[::2]), max(row[1::2])
    return left, top, right - left, bottom - top


def read_vatic(path: Path) -> RegionRows:
    """Boxes as the annotation tool VATIC writes them, or else as `read_regions` takes them.

    A line is: track, xmin, ymin, xmax, ymax, frame, lost, occluded, generated, label.

    Raises:
        FrameError: the file is missing or its lines are neither.
    """
    lines = [(number, line) for number, line in read_lines(path, NUMBER_COMMENTS) if line]
    if all(len(line.split()) < _VATIC_FIELDS for _, line in lines):
        return read_regions(path)
    boxes = []
    for number, line in lines:
        try:
            _, x1, y1, x2, y2, _, lost = (float(value) for value in line.split()[:7])
        except ValueError as error:
            raise FrameError(
                f"{path}: not a line of VATIC (line {number}: {line[:40]!r})"
            ) from error
        boxes.append((math.nan,) * 4 if lost else (x1, y1, x2 - x1, y2 - y1))
    return RegionRows(np.array(boxes, dtype=np.float32), {})


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
    numbers = [float(v) for v in _SEPARATORS.sub(" ", text).split()]
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
