"""TraX regions to targets, and estimates to TraX regions."""

import math
from typing import NamedTuple

import numpy as np
import trax

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Estimate, Mask
from vot_integration.regions.outputs import Output
from vot_integration.regions.rotated_box import rotated_box
from vot_integration.regions.shapes import (
    clip_to_frame,
    crop_mask,
    polygon_to_box,
    rectangle_to_box,
    target_mask_to_box,
)

_STEPS = 256
"""Parts of a pixel that the edges of answered boxes are multiples of."""


class Target(NamedTuple):
    """The object to start on: its box and, when the client sent one, its mask (H x W)."""

    box: Box
    mask: Mask | None


def read_target(region: trax.Region, height: int, width: int) -> Target:
    """Turn the region of an initialisation into a target (rules: `vot_integration.regions.shapes`).

    Args:
        region: rectangle, polygon or mask.
        height: height of the frame in pixels.
        width: width of the frame in pixels.

    Raises:
        UsageError: the region is empty, not finite, outside the frame, or of another kind.
    """
    mask = None
    if region.type == trax.Region.RECTANGLE:
        box = rectangle_to_box(*region.bounds())
    elif region.type == trax.Region.POLYGON:
        box = polygon_to_box(np.array(list(region), dtype=np.float64))
    elif region.type == trax.Region.MASK:
        mask = _frame_mask(region, height, width)
        box = target_mask_to_box(mask)
    else:
        raise UsageError(
            f"the target is a '{region.type}' region, as NaN coordinates arrive: "
            "start on a rectangle, polygon or mask of finite numbers"
        )
    if not clip_to_frame(box, height, width).is_valid:
        raise UsageError(
            f"the target ({', '.join(f'{v:g}' for v in box)}) is outside the {width}x{height} "
            "frame: check it against the size of the image"
        )
    return Target(box, mask)


def _frame_mask(region: trax.Mask, height: int, width: int) -> Mask:
    """Place a cropped mask in an empty H x W mask; what lies outside the frame is cut off."""
    w, h = region.size()
    frame = np.zeros((height, width), dtype=np.uint8)
    if w <= 0 or h <= 0:
        return frame
    pixels = region.array()
    x, y = region.offset()
    top, left, bottom, right = max(y, 0), max(x, 0), min(y + h, height), min(x + w, width)
    if top < bottom and left < right:
        frame[top:bottom, left:right] = pixels[top - y : bottom - y, left - x : right - x] > 0
    return frame


def write_region(estimate: Estimate, output: Output, height: int, width: int) -> trax.Region | None:
    """Turn an estimate into the region to answer.

    MASK answers the mask, ROTATED the rotated box of the mask as a polygon, BOX the box as a
    rectangle. An estimate without a mask, and under ROTATED one with an empty mask, is answered by
    its box. An empty mask means absent. All is clipped to the frame.

    Args:
        estimate: a tracker's answer for this frame.
        output: form of the answer.
        height: height of the frame in pixels.
        width: width of the frame in pixels.

    Returns:
        The region; None when the box to answer is not finite or inverted: there is no answer.

    Raises:
        ValueError: the mask does not have the size of the frame.
    """
    mask, box = estimate.mask, estimate.box
    if mask is not None:
        if mask.shape != (height, width):
            raise ValueError(f"the mask is {mask.shape}, the frame {(height, width)} (H, W)")
        if output is Output.MASK:
            crop = crop_mask(mask)
            return trax.Mask.create(crop.pixels, crop.x, crop.y)
        if output is Output.ROTATED and (corners := rotated_box(mask)) is not None:
            return trax.Polygon.create([(float(x), float(y)) for x, y in corners])
    if not all(math.isfinite(v) for v in box) or box.w < 0 or box.h < 0:
        return None
    return trax.Rectangle.create(*_to_steps(clip_to_frame(box, height, width)))


def _to_steps(box: Box) -> Box:
    """The smallest box around a box that TraX's float32 carries without rounding.

    A rounded edge may lie outside the frame.
    """
    x1, y1 = (math.floor(v * _STEPS) / _STEPS for v in (box.x, box.y))
    x2, y2 = (math.ceil(v * _STEPS) / _STEPS for v in (box.x + box.w, box.y + box.h))
    return Box(x1, y1, x2 - x1, y2 - y1)
