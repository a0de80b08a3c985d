"""The toolkit's region objects: made, measured, and turned into shapes and masks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from vot.region import Special
from vot.region.raster import calculate_overlaps
from vot.region.shapes import Mask as MaskRegion
from vot.region.shapes import Polygon as PolygonRegion
from vot.region.shapes import Rectangle

from alpharefine.types import Box, Mask
from vot_integration.regions.shapes import MaskCrop, Shape

Region = Any
"""A region object of the toolkit: Rectangle, Polygon, Mask, or Special where it is absent."""


def box_region(box: Box) -> Region:
    """The toolkit's region of a box."""
    return Rectangle(*box)


def absent_region() -> Region:
    """The region of a target that is not in the frame."""
    return Special(0)


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


def shape_region(shape: Shape) -> Region:
    """The toolkit's region of a shape."""
    if isinstance(shape, MaskCrop):
        offset = shape.x, shape.y
        return MaskRegion(np.ascontiguousarray(shape.pixels), offset=offset, optimize=True)
    return box_region(shape) if isinstance(shape, Box) else PolygonRegion(shape.tolist())


def region_shape(region: Region) -> Shape | None:
    """The shape of a region; None where the target is absent."""
    if region.is_empty():
        return None
    if isinstance(region, MaskRegion):
        return MaskCrop(np.asarray(region.mask, np.uint8), *map(int, region.offset))
    if isinstance(region, PolygonRegion):
        return np.array([region[i] for i in range(region.size)], np.float64)
    return region_box(region)


def shape_box(shape: Shape) -> Box:
    """The box around a shape in any form; Box(0, 0, 0, 0) for one that is empty."""
    return region_box(shape_region(shape))


def shape_mask(shape: Shape | None, height: int, width: int) -> Mask:
    """Pixels of a shape as the toolkit takes them; see `region_mask`."""
    region = absent_region() if shape is None else shape_region(shape)
    return region_mask(region, height, width)


def region_box(region: Region) -> Box:
    """The box around a region in any form; Box(0, 0, 0, 0) where the target is absent."""
    if region.is_empty():
        return Box(0.0, 0.0, 0.0, 0.0)
    if isinstance(region, Rectangle):
        return Box(region.x, region.y, region.width, region.height)
    left, top, right, bottom = map(float, region.bounds())
    return Box(left, top, right - left + 1, bottom - top + 1)


def special_code(region: Region) -> int:
    """What the toolkit notes in a frame in place of an answer, such as 1 for the initialization.

    Returns:
        Its code; -1 for a region that was answered.
    """
    return int(region.code) if isinstance(region, Special) else -1


def region_overlaps(
    regions: Sequence[Region], truth: Sequence[Region], size: tuple[int, int]
) -> NDArray[np.float64]:
    """Overlaps (intersection over union), N float, 0..1, of N pairs of regions.

    Args:
        regions: N answers.
        truth: N regions of the ground truth.
        size: width and height of the image, px, to which both are clipped.
    """
    return np.array(calculate_overlaps(list(regions), list(truth), size), np.float64)
