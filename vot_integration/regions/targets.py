"""Targets in any form to the box that a tracker starts on."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Mask
from vot_integration.regions.shapes import MaskCrop, Polygon, Shape, clip_to_frame, place_mask


class Target(NamedTuple):
    """The object to start on: its box and, where it was given as one, its mask (H x W)."""

    box: Box
    mask: Mask | None


def read_target(shape: Shape, height: int, width: int) -> Target:
    """Turn what was given into a target, by one rule for every tracker.

    Coordinates are rounded to float32, which TraX carries: so a tracker starts on the same numbers
    under the toolkit and in `arvot track`.

    Args:
        shape: rectangle, polygon or mask.
        height: height of the frame in pixels.
        width: width of the frame in pixels.

    Raises:
        UsageError: the shape is empty, not finite or outside the frame.
    """
    mask = None
    if isinstance(shape, MaskCrop):
        mask = place_mask(shape, height, width)
        box = target_mask_to_box(mask)
    elif isinstance(shape, Box):
        box = rectangle_to_box(*_as_sent(shape))
    else:
        box = polygon_to_box(_as_sent(shape))
    if not clip_to_frame(box, height, width).is_valid:
        raise UsageError(
            f"the target ({', '.join(f'{v:g}' for v in box)}) is outside the {width}x{height} "
            "frame: check it against the size of the image"
        )
    return Target(box, mask)


def _as_sent(numbers: ArrayLike) -> Polygon:
    with np.errstate(over="ignore"):
        return np.asarray(numbers, np.float32).astype(np.float64)


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


def polygon_to_box(corners: Polygon) -> Box:
    """Turn a target polygon into a box, by one rule for every tracker.

    Four corners p1..p4 (a rotated box): the box keeps the center, the mean of the corners, and has
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
        center, size = low + extent / 2, extent + 1
    else:
        center = corners.mean(axis=0)
        size = math.sqrt(side_areas / upright_area) * extent + 1
    x, y = center - (size - 1) / 2
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
