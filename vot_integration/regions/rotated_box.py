"""The rotated box that overlaps a mask most.

Pixels and corners as in `vot_integration.regions.shapes`. A box around all pixels,
`cv2.minAreaRect`, takes in much ground where the object has limbs or specks; the box sought here
maximizes the overlap (intersection over union) with the mask, which is what VOT measures. It is
found in a reduced copy of the mask: for each of a few angles the copy is turned into the box's
axes, where a summed-area table gives the overlap of all boxes with two sides kept, and the sides
are optimized two by two.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from vot_integration.regions.shapes import Polygon

MIN_SIDE = 0.5
"""Side given to a rotated box of a one-pixel line: not empty, and still rasterized as that line."""

_COPY_SIDE = 64
"""Most rows and columns of the reduced copy."""

_ROUNDS = 2
"""How often each pair of sides is optimized; more changes nothing."""


class _Grid(NamedTuple):
    """How finely boxes are sought: number of angles, and cells of each axis of the box."""

    angles: int
    cells: int


_COARSE = _Grid(angles=9, cells=24)
_FINE = _Grid(angles=5, cells=48)

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]


class _Copy(NamedTuple):
    """A reduced copy of a mask.

    Attributes:
        cover: rows x columns float32, share of each cell that belongs to the object.
        scale: width and height of a cell, px.
        outline: K x 2, (x, y) of points that enclose the covered cells, px.
    """

    cover: NDArray[np.float32]
    scale: _Floats
    outline: _Floats

    @property
    def area(self) -> float:
        """Area of the object, square px."""
        return float(self.cover.sum() * self.scale.prod())


class _Boxes(NamedTuple):
    """Boxes in a copy, one an angle.

    Attributes:
        angles: A, radians.
        overlaps: A.
        sides: A x 2 x 2, px: first and last edge along the turned x and y axis.
    """

    angles: _Floats
    overlaps: _Floats
    sides: _Floats


def rotated_box(mask: NDArray[Any]) -> Polygon | None:
    """Rotated rectangle with about the largest overlap with a mask, clipped to the frame.

    Args:
        mask: H x W, any type; pixels above 0 belong to the object.

    Returns:
        Its four corners; three to eight where the frame's border cuts it. None for an empty mask.
    """
    binary = np.asarray(mask > 0, dtype=np.uint8)
    x, y, w, h = cv2.boundingRect(binary)
    if w == 0:
        return None
    copy = _reduce(binary[y : y + h, x : x + w])
    step = math.pi / 2 / _COARSE.angles
    quarter = np.arange(_COARSE.angles, dtype=np.float64) * step
    coarse = _search(copy, quarter.astype(np.float64), _COARSE)
    # The next coarse angles are one step away; the fine ones divide the way to them.
    near = np.linspace(-step, step, _FINE.angles + 2)[1:-1]
    angle = float(coarse.angles[coarse.overlaps.argmax()])
    # Long thin objects need their angle more exactly than any grid has it.
    around = cv2.minAreaRect(copy.outline.astype(np.float32))[2]
    fine = _search(copy, np.array([*(angle + near), math.radians(around)]), _FINE)
    best = int(fine.overlaps.argmax())
    corners = np.array([x, y]) + _corners(fine.angles[best], fine.sides[best])
    return _clip_polygon(corners, *binary.shape)


def _reduce(crop: NDArray[np.uint8]) -> _Copy:
    height, width = crop.shape
    size = min(width, _COPY_SIDE), min(height, _COPY_SIDE)
    resized = cv2.resize(crop.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    cover: NDArray[np.float32] = np.asarray(resized, np.float32)
    scale = np.array([width, height]) / size
    return _Copy(cover, scale, _outline(cover > 0) * scale)


def _outline(covered: NDArray[np.bool_]) -> _Floats:
    """Left and right end of each row, upper and lower corner: K x 2, (x, y) in cells."""
    rows = np.flatnonzero(covered.any(1))
    left = covered[rows].argmax(1)
    right = covered.shape[1] - covered[rows, ::-1].argmax(1)
    ends = [np.stack([x, y], 1) for x in (left, right) for y in (rows, rows + 1)]
    return np.concatenate(ends).astype(np.float64)


def _search(copy: _Copy, angles: _Floats, grid: _Grid) -> _Boxes:
    """The best box at each angle, its edges on the lines of a grid over the object's extent."""
    cosine, sine = np.cos(angles), np.sin(angles)
    turns = np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
    extent = turns @ copy.outline.T
    low = extent.min(2)
    step = (extent.max(2) - low) / grid.cells
    cell = step.prod(1)
    sums = np.empty((len(angles), grid.cells + 1, grid.cells + 1))
    for k, turn in enumerate(turns):
        # Where the center of the first cell, and each cell after it, lies in the copy.
        first = turn.T @ (low[k] + step[k] / 2) / copy.scale - 0.5
        back = np.column_stack([turn.T * step[k] / copy.scale[:, None], first])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        turned = cv2.warpAffine(copy.cover, back, (grid.cells, grid.cells), flags=flags)
        cv2.integral(turned, sums[k], cv2.CV_64F)
    # Sampling sees a little more or less of a thin object than there is.
    seen = np.maximum(sums[:, -1, -1], np.finfo(np.float64).tiny)
    sums *= (copy.area / seen)[:, None, None]
    sides, overlaps = _best_sides(sums, cell, copy.area)
    return _Boxes(angles, overlaps, low[:, :, None] + sides * step[:, :, None])


def _best_sides(sums: _Floats, cell: _Floats, area: float) -> tuple[_Integers, _Floats]:
    """Alternately the best left and right, and the best upper and lower edges.

    Args:
        sums: A x (n + 1) x (n + 1), area of the object above and left of each grid point.
        cell: A, area of a cell.
        area: of the object.

    Returns:
        Grid lines, A x 2 x 2 (axis; first, last), and the overlaps, A.
    """
    every, n = np.arange(len(sums)), sums.shape[1] - 1
    sides = np.tile(np.array([[0, n]]), (len(sums), 2, 1))
    overlaps = np.zeros(len(sums))
    for _ in range(_ROUNDS):
        for axis in (0, 1):
            kept_first, kept_last = sides[:, 1 - axis].T
            along = sums if axis == 0 else sums.transpose(0, 2, 1)
            profile = along[every, kept_last] - along[every, kept_first]
            strip = cell * (kept_last - kept_first)
            sides[:, axis], overlaps = _best_interval(profile, strip, area)
    return sides, overlaps


def _best_interval(profile: _Floats, strip: _Floats, area: float) -> tuple[_Integers, _Floats]:
    """Lines (first, last), A x 2, with the largest overlap, A; `profile` is A x (n + 1)."""
    first, last, length = _intervals(profile.shape[1])
    inside = profile[:, last] - profile[:, first]
    overlaps = inside / (strip[:, None] * length + area - inside)
    best = overlaps.argmax(1)
    return np.stack([first[best], last[best]], 1), overlaps[np.arange(len(best)), best]


@cache
def _intervals(lines: int) -> tuple[_Integers, _Integers, _Floats]:
    """All pairs of grid lines, first < last, and their distance."""
    first, last = np.triu_indices(lines, 1)
    return first, last, (last - first).astype(np.float64)


def _corners(angle: float, sides: _Floats) -> Polygon:
    """Polygon of a box whose sides are edges of pixels."""
    cosine, sine = math.cos(angle), math.sin(angle)
    center = np.array([[cosine, -sine], [sine, cosine]]) @ sides.mean(1) - 0.5
    # Polygon are the centers of the outermost pixels, which end half a pixel further out.
    size = np.maximum(sides[:, 1] - sides[:, 0] - 1, MIN_SIDE)
    half = size / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    corners = center + half @ np.array([[cosine, sine], [-sine, cosine]])
    # Without rounding, noise would count as leaving the frame.
    return np.asarray(corners.round(3), np.float64)


def _clip_polygon(corners: Polygon, height: int, width: int) -> Polygon:
    """Intersect a convex polygon with the pixels 0 .. width - 1, 0 .. height - 1 of a frame."""
    # A frame one pixel wide still leaves room for a polygon that is not empty.
    limit = np.maximum((width - 1, height - 1), MIN_SIDE)
    if (corners >= 0).all() and (corners <= limit).all():
        return corners
    clipped = shapely.clip_by_rect(shapely.Polygon(corners), 0, 0, *limit)
    return np.asarray(shapely.get_coordinates(clipped)[:-1], dtype=np.float64)
