"""Shapes that targets are given in and answers are made of, as the toolkit and TraX have them.

Pixel convention: a polygon's corner is the index of a pixel (its center), and a box (x, y, w, h)
covers the pixels x .. x + w - 1, as in the toolkit's rasterizer. So the outline of the pixels
x0 .. x1 is x1 - x0 + 1 wide as a box and x1 - x0 wide as a polygon.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Mask

MAX_RUNS = 65535
"""Most run lengths of one mask that the toolkit's binary results can hold (16-bit count)."""

_MAX_RUN_LENGTH = 255 * 255
"""The toolkit splits longer runs into three."""

Polygon = NDArray[np.float64]
"""Polygon of a polygon, N x 2, (x, y) in image pixels."""


class MaskCrop(NamedTuple):
    """A mask cut to its object: C-contiguous h x w uint8 {0, 1}, placed at pixel (x, y)."""

    pixels: Mask
    x: int
    y: int


Shape = Box | Polygon | MaskCrop
"""Where a target is. Absent is a box without sides, or a mask without pixels."""


def clip_to_frame(box: Box, height: int, width: int) -> Box:
    """Intersection of a finite box and a frame; Box(0, 0, 0, 0), the absent target, if empty."""
    x1, y1 = max(0.0, box.x), max(0.0, box.y)
    x2, y2 = min(float(width), box.x + box.w), min(float(height), box.y + box.h)
    if x2 <= x1 or y2 <= y1:
        return Box(0.0, 0.0, 0.0, 0.0)
    return Box(x1, y1, x2 - x1, y2 - y1)


def crop_mask(mask: NDArray[Any]) -> MaskCrop:
    """Cut a mask to its object in the form that the toolkit reads without fault.

    The crop is never one column wide, which the toolkit reads as empty: an empty column is added on
    the left, so that `x` is -1 for a line on the frame's left edge. A mask that needs more run
    lengths than the toolkit's result files hold loses its specks.

    Args:
        mask: H x W, any type; pixels above 0 belong to the object.

    Returns:
        The crop; 2 x 2 zeros at (0, 0) for an empty mask (the absent target).
    """
    binary = np.asarray(mask > 0, dtype=np.uint8)
    box = mask_to_box(binary)
    if box is None:
        return MaskCrop(np.zeros((2, 2), dtype=np.uint8), 0, 0)
    x, y, w, h = (int(v) for v in box)
    pixels = binary[y : y + h, x : x + w]
    if w == 1:
        pixels, x = np.pad(pixels, ((0, 0), (1, 0))), x - 1
    return MaskCrop(_limit_runs(np.ascontiguousarray(pixels)), x, y)


def count_runs(pixels: Mask) -> int:
    """Upper bound of the run lengths that the toolkit writes for a non-empty h x w mask."""
    flat = pixels.ravel()
    changes = int(np.count_nonzero(flat[1:] != flat[:-1]))
    return changes + 1 + int(flat[0]) + 2 * (flat.size // _MAX_RUN_LENGTH)


def _limit_runs(pixels: Mask) -> Mask:
    """Remove detail, by majority over blocks of 2, 4, 8, ... pixels, until the runs fit."""
    reduced, block = pixels, 1
    while reduced.size > MAX_RUNS and count_runs(reduced) > MAX_RUNS:
        block *= 2
        reduced = _block_majority(pixels, block)
    return reduced


def _block_majority(pixels: Mask, block: int) -> Mask:
    """Fill every block x block cell that is at least half full, empty the others."""
    h, w = pixels.shape
    rows, columns = np.arange(0, h, block), np.arange(0, w, block)
    sums = np.add.reduceat(np.add.reduceat(pixels, rows, 0, np.int64), columns, 1)
    areas = np.outer(np.diff(rows, append=h), np.diff(columns, append=w))
    full = (2 * sums >= areas).astype(np.uint8)
    return np.ascontiguousarray(full.repeat(block, 0).repeat(block, 1)[:h, :w])


def place_mask(crop: MaskCrop, height: int, width: int) -> Mask:
    """Put a crop into an empty H x W mask; what lies outside the frame is cut off."""
    frame = np.zeros((height, width), dtype=np.uint8)
    pixels, x, y = crop
    h, w = pixels.shape
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + h, height), min(x + w, width)
    if top < bottom and left < right:
        frame[top:bottom, left:right] = pixels[top - y : bottom - y, left - x : right - x] > 0
    return frame
