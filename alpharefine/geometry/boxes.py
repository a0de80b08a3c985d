"""Axis-aligned boxes."""

import numpy as np
from numpy.typing import NDArray

from alpharefine.types import Box


def mask_to_box(mask: NDArray[np.uint8]) -> Box | None:
    """Tight box of the non-zero pixels of an H x W mask (x1 - x0 + 1 wide), None if there are none.

    Source: the VOT2020 entry's initialization (first and last non-zero row and column).
    """
    columns = np.flatnonzero(mask.any(axis=0))
    rows = np.flatnonzero(mask.any(axis=1))
    if columns.size == 0:
        return None
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])
    return Box(float(x0), float(y0), float(x1 - x0 + 1), float(y1 - y0 + 1))


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0..1; 0 where neither has an area."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    inter = max(width, 0.0) * max(height, 0.0)
    union = a.w * a.h + b.w * b.h - inter
    return inter / union if union > 0 else 0.0


def clip_box(box: Box, height: int, width: int, margin: float = 10.0) -> Box:
    """Clip a box to an image so that at least `margin` pixels of each axis lie inside.

    A box wholly inside the image is returned as it is, however small.

    Source: Alpha-Refine's feedback rule, min side 10 px.
    """
    x1 = max(0.0, min(box.x, width - margin))
    y1 = max(0.0, min(box.y, height - margin))
    x2 = max(margin, min(box.x + box.w, float(width)))
    y2 = max(margin, min(box.y + box.h, float(height)))
    return Box(x1, y1, x2 - x1, y2 - y1)
