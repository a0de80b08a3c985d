"""TraX regions to shapes, and back."""

import numpy as np
import trax

from alpharefine.errors import UsageError
from alpharefine.types import Box
from vot_integration.regions.shapes import MaskCrop, Shape


def from_trax(region: trax.Region) -> Shape:
    """The shape that a client has sent.

    Raises:
        UsageError: the region is no rectangle, polygon or mask.
    """
    if region.type == trax.Region.RECTANGLE:
        return Box(*region.bounds())
    if region.type == trax.Region.POLYGON:
        return np.array(list(region), dtype=np.float64)
    if region.type == trax.Region.MASK:
        return _mask_crop(region)
    raise UsageError(
        f"the target is a '{region.type}' region, as NaN coordinates arrive: "
        "start on a rectangle, polygon or mask of finite numbers"
    )


def _mask_crop(region: trax.Mask) -> MaskCrop:
    w, h = region.size()
    if w <= 0 or h <= 0:
        return MaskCrop(np.zeros((0, 0), np.uint8), 0, 0)
    return MaskCrop(region.array(), *region.offset())


def to_trax(shape: Shape) -> trax.Region:
    """The region that carries a shape."""
    if isinstance(shape, MaskCrop):
        return trax.Mask.create(shape.pixels, shape.x, shape.y)
    if isinstance(shape, Box):
        return trax.Rectangle.create(*shape)
    return trax.Polygon.create([(float(x), float(y)) for x, y in shape])
