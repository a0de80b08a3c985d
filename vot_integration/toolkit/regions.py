"""Ground truth files: a region a line, in the toolkit's own text format and by its own code.

A line is `m<x0>,<y0>,<w>,<h>,<runs...>` (mask), 6 or more numbers (polygon), 4 numbers (rectangle)
or one number (target absent). The toolkit's reader trusts its input: a mask whose runs are longer
than its box is written past the end of an array. So every line is checked first.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from vot.region import Special
from vot.region.io import parse_region, write_trajectory
from vot.region.shapes import Mask as MaskRegion
from vot.region.shapes import Rectangle

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Mask

Region = Any
"""A region object of the toolkit: Rectangle, Polygon, Mask, or Special where it is absent."""

_MAX_SIDE = 1 << 15
"""Largest mask side: the toolkit's binary results store it in 16 bits."""


def read_regions(file: Path) -> tuple[Region, ...]:
    """Read a ground truth file, one region a frame.

    Raises:
        UsageError: the file cannot be read, or a line is not a region.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the ground truth {file}: {error}") from error
    return tuple(_read_region(line.strip(), file, n) for n, line in enumerate(lines, start=1))


def _read_region(line: str, file: Path, number: int) -> Region:
    region = None
    try:
        if not line.startswith("m") or _is_sound_mask(line):
            region = parse_region(line) if line else None
    except (ValueError, OverflowError):
        region = None
    if region is None:
        raise UsageError(
            f"{file}, line {number}: {line[:40]!r} is not a region; a line is m<x>,<y>,<w>,<h>,"
            "<runs...> (mask), 6 or more numbers (polygon), 4 numbers (rectangle) or 0 (absent)"
        )
    return region


def _is_sound_mask(line: str) -> bool:
    """Whether the runs of a mask line fit its box."""
    _, _, width, height, *runs = (int(token) for token in line[1:].split(","))
    sides_fit = 0 <= width <= _MAX_SIDE and 0 <= height <= _MAX_SIDE
    return sides_fit and min(runs, default=0) >= 0 and sum(runs) <= width * height


def write_regions(file: Path, regions: Iterable[Region]) -> None:
    """Write a ground truth file, one line a region."""
    with file.open("w", encoding="ascii") as stream:
        write_trajectory(stream, list(regions))


def mask_region(mask: Mask) -> Region:
    """The toolkit's region of an H x W mask {0, 1}; an empty one is `Special(0)`, absent."""
    if not mask.any():
        return Special(0)
    return MaskRegion(np.ascontiguousarray(mask), optimize=True)


def region_mask(region: Region, height: int, width: int) -> Mask:
    """Pixels of a region in an image of the given size, H x W uint8 {0, 1}; absent: all zero."""
    if region.is_empty():
        return np.zeros((height, width), dtype=np.uint8)
    return np.ascontiguousarray(region.rasterize((0, 0, width - 1, height - 1)))


def region_box(region: Region) -> Box:
    """The box around a region in any form; Box(0, 0, 0, 0) where the target is absent."""
    if region.is_empty():
        return Box(0.0, 0.0, 0.0, 0.0)
    if isinstance(region, Rectangle):
        return Box(region.x, region.y, region.width, region.height)
    left, top, right, bottom = map(float, region.bounds())
    return Box(left, top, right - left + 1, bottom - top + 1)
