"""Region geometry of VOT: targets in any form to a box, answers to masks and boxes in the frame.

Pixel convention: a polygon's corner is the index of a pixel (its centre), and a box (x, y, w, h)
covers the pixels x .. x + w - 1, as in the toolkit's rasteriser. So the outline of the pixels
x0 .. x1 is x1 - x0 + 1 wide as a box and x1 - x0 wide as a polygon.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import Box, mask_to_box
from alpharefine.trackers.base import Mask
from vot_integration.regions.rotated_box import Corners

MAX_RUNS = 65535
"""Most run lengths of one mask that the toolkit's binary results can hold (16-bit count)."""

_MAX_RUN_LENGTH = 255 * 255
"""The toolkit splits longer runs into three."""


class MaskCrop(NamedTuple):
    """A mask cut to its object: C-contiguous h x w uint8 {0, 1}, placed at pixel (x, y)."""

    pixels: Mask
    x: int
    y: int


def rectangle_to_box(x: float, y: float, w: float, h: float) -> Box:
    """Take a rectangle as it is.

    Raises:
        UsageError: a number is not finite or a side is not positive.
    """
    box = Box(float(x), float(y), float(w), float(h))
    if not box.is_valid:
        raise UsageError(
            f"the target rectangle ({x:g}, {y:g}, {w:g}, {h:g}) is empty or not finite: "
            "give four finite numbers x, y, width, height with positive sides"
        )
    return box


def polygon_to_box(corners: Corners) -> Box:
    """Turn a target polygon into a box, by one rule for every tracker.

    Four corners p1..p4 (a rotated box): the box keeps the centre, the mean of the corners, and has
    the upright bounding rectangle's aspect at the area of the rotated box: with
    A1 = |p1 - p2| |p2 - p3| and A2 = area of the bounding rectangle, its sides are
    sqrt(A1 / A2) (width, height) + 1. Any other number of corners, or four that enclose no area
    (A1 or A2 is 0): the upright bounding rectangle of the corners' pixels.

    Source: the VOT challenge's axis-aligned reading of rotated boxes, used by Alpha-Refine's
    SEcm entry.

    Raises:
        UsageError: there are fewer than three corners or a coordinate is not finite.
    """
    corners = np.asarray(corners, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
        raise UsageError("the target polygon has fewer than three corners: give x1,y1,...,xn,yn")
    if not np.isfinite(corners).all():
        raise UsageError("the target polygon has a coordinate that is not finite: check the file")
    low, extent = corners.min(axis=0), np.ptp(corners, axis=0)
    side_areas = math.dist(corners[0], corners[1]) * math.dist(corners[1], corners[2])
    upright_area = float(extent[0] * extent[1])
    if len(corners) != 4 or side_areas == 0 or upright_area == 0:
        centre, size = low + extent / 2, extent + 1
    else:
        centre = corners.mean(axis=0)
        size = math.sqrt(side_areas / upright_area) * extent + 1
    x, y = centre - (size - 1) / 2
    return Box(float(x), float(y), float(size[0]), float(size[1]))


def target_mask_to_box(mask: NDArray[np.uint8]) -> Box:
    """Tight box of the non-zero pixels of a target mask.

    Raises:
        UsageError: the mask is empty.
    """
    box = mask_to_box(mask)
    if box is None:
        raise UsageError("the target mask is empty: start on a frame where the target is visible")
    return box


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
