"""Estimates to answers: mask, rotated box or rectangle, and how a tracker's name says which."""

import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.types import Box, Estimate
from vot_integration.regions.rotated_box import rotated_box
from vot_integration.regions.shapes import Shape, clip_to_frame, crop_mask

_STEPS = 256
"""Parts of a pixel that the edges of answered boxes are multiples of."""


class Output(Enum):
    """Form of the answers sent to the toolkit; the value is the suffix of a tracker's name."""

    MASK = "mask"
    ROTATED = "rotated"
    BOX = "box"


def resolve_output(name: str, output: str | None = None) -> tuple[str, Output]:
    """Split a served name such as `ARDiMP_lite_rotated` into the tracker's name and its output.

    Args:
        name: tracker name, with or without the suffix `_rotated` or `_box`.
        output: "mask", "rotated" or "box"; None or "" lets the suffix decide, and a name without a
            suffix answers masks.

    Raises:
        UsageError: the name is empty, the output unknown, or the two contradict each other.
    """
    if not name:
        raise UsageError("no tracker is named: give --tracker NAME or set ARVOT_TRACKER")
    known = {form.value: form for form in Output}
    if output and output not in known:
        raise UsageError(f"unknown output '{output}': choose one of {', '.join(known)}")
    base, _, suffix = name.rpartition("_")
    if not base or suffix not in (Output.ROTATED.value, Output.BOX.value):
        return name, known[output] if output else Output.MASK
    if output and output != suffix:
        raise UsageError(f"'{name}' answers '{suffix}' but the output is '{output}': drop one")
    return base, known[suffix]


_OF_MASK: Mapping[Output, Callable[[NDArray[Any]], Shape | None]] = {
    Output.MASK: crop_mask,
    Output.ROTATED: rotated_box,
    Output.BOX: lambda mask: None,
}
"""What each form makes of an H x W mask; None where the estimate's box is to be answered."""


def make_answer(estimate: Estimate, output: Output, height: int, width: int) -> Shape:
    """Turn an estimate into the shape to answer.

    An absent target is answered by a mask without pixels, or a box without sides. Of any other,
    MASK answers the mask, ROTATED the rotated box of the mask as a polygon, BOX the box as a
    rectangle. An estimate without a mask, and under ROTATED one with an empty mask, is answered by
    its box. An empty mask means absent. All is clipped to the frame.

    Args:
        estimate: a tracker's answer for this frame, its box finite as of a `TrackingSession`.
        output: form of the answer.
        height: height of the frame in pixels.
        width: width of the frame in pixels.

    Raises:
        ValueError: the mask does not have the size of the frame.
    """
    if estimate.absent:
        return crop_mask(np.zeros((2, 2))) if output is Output.MASK else Box(0.0, 0.0, 0.0, 0.0)
    mask, box = estimate.mask, estimate.box
    if mask is not None:
        if mask.shape != (height, width):
            raise ValueError(f"the mask is {mask.shape}, the frame {(height, width)} (H, W)")
        shape = _OF_MASK[output](mask)
        if shape is not None:
            return shape
    return _to_steps(clip_to_frame(box, height, width))


def _to_steps(box: Box) -> Box:
    """The smallest box around a box that TraX's float32 carries without rounding.

    A rounded edge may lie outside the frame.
    """
    x1, y1 = (math.floor(v * _STEPS) / _STEPS for v in (box.x, box.y))
    x2, y2 = (math.ceil(v * _STEPS) / _STEPS for v in (box.x + box.w, box.y + box.h))
    return Box(x1, y1, x2 - x1, y2 - y1)
