"""One frame after the other, as the official tools are described: what the library is held to."""

import math
from collections.abc import Sequence

from alpharefine.onepass.measures import Truth

Row = Sequence[float]


def iou(a: Row, b: Row) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = a[2] * a[3] + b[2] * b[3] - shared
    return shared / union if union else math.nan


def distance(a: Row, b: Row, x: float = 1.0, y: float = 1.0) -> float:
    return math.hypot(
        (a[0] + a[2] / 2 - b[0] - b[2] / 2) / x, (a[1] + a[3] / 2 - b[1] - b[3] / 2) / y
    )


def lasot(answers: Sequence[Row], truth: Truth) -> tuple[list[float], list[float], list[float]]:
    """Overlaps and errors as the LaSOT toolkit has them; absent frames fail."""
    rows = [list(row) for row in answers]
    for number in range(1, len(rows)):
        row = rows[number]
        bad = any(math.isnan(v) for v in row) or row[2] <= 0 or row[3] <= 0
        if bad and not any(math.isnan(v) for v in truth.boxes[number]):
            rows[number] = list(rows[number - 1])
    rows[0] = list(truth.boxes[0])
    return _frames(rows, truth, invalid_error=-1.0)


def pytracking(
    answers: Sequence[Row], truth: Truth
) -> tuple[list[float], list[float], list[float]]:
    """The same as pytracking has them for LaSOT."""
    rows = [list(row) for row in answers]
    for number in range(1, len(rows)):
        if 0 in rows[number][2:]:
            rows[number] = list(rows[number - 1])
    rows[0] = list(truth.boxes[0])
    overlaps, centers, norms = _frames(rows, truth, invalid_error=math.inf, sized=True)
    for number, box in enumerate(truth.boxes):
        hidden = truth.absent is not None and truth.absent[number]
        if not hidden and not (box[2] > 0 and box[3] > 0):
            norms[number] = -1.0
    return overlaps, centers, norms


def _frames(
    rows: Sequence[Row], truth: Truth, *, invalid_error: float, sized: bool = False
) -> tuple[list[float], list[float], list[float]]:
    overlaps, centers, norms = [], [], []
    for number, (row, box) in enumerate(zip(rows, truth.boxes, strict=True)):
        if truth.absent is not None and truth.absent[number]:
            measured = (-1.0, math.inf, math.inf)
        elif not all(v > 0 for v in (box[2:] if sized else box)):
            measured = (-1.0, invalid_error, invalid_error)
        else:
            measured = iou(row, box), distance(row, box), distance(row, box, box[2], box[3])
        for values, value in zip((overlaps, centers, norms), measured, strict=True):
            values.append(value)
    return overlaps, centers, norms
