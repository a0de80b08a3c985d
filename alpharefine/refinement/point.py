"""A point on an object to boxes around it: the refiner looks at itself, in several sizes."""

from dataclasses import dataclass

import cv2
import numpy as np

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import box_iou, mask_to_box
from alpharefine.refinement.refiner import Refinement, Refiner
from alpharefine.types import Box, Image, Mask

_SIZES = (0.08, 0.16, 0.25, 0.4)
"""Sides of the squares to begin with, in shorter sides of the image."""

_ROUNDS = 3
"""How often a box becomes the box of the mask that is found from it."""

_MIN_SIDE = 4.0
_SURE = 0.5
_NEARLY_BEST = 0.85
_SAME = 0.8
"""Overlap from which on two boxes are taken as one."""


@dataclass(frozen=True)
class PointProposal:
    """What may be meant by a point.

    Attributes:
        box: tight around the mask, image px.
        mask: of the full image, the part that holds the point.
        score: 0..1, how well box, mask and another look at them agree.
    """

    box: Box
    mask: Mask
    score: float


def boxes_at_point(
    refiner: Refiner, image: Image, point: tuple[float, float]
) -> list[PointProposal]:
    """Propose targets at a point: from squares of several sizes, each becomes its mask's box.

    The first proposal is the largest of those that are nearly as good as the best one, since parts
    of an object are found as surely as the whole; then comes what else was found, the best first.

    Args:
        refiner: with a network that answers masks; it is initialized anew.
        image: H x W x 3 uint8 RGB.
        point: (x, y), image px.

    Returns:
        Proposals that differ from each other; none where nothing holds together at the point.

    Raises:
        UsageError: the point is outside the image, or the network answers no masks.
    """
    height, width = image.shape[:2]
    x, y = point
    if not (0 <= x < width and 0 <= y < height):
        raise UsageError(f"the point ({x:g}, {y:g}) is outside the {width}x{height} frame")
    sides = [share * min(height, width) for share in _SIZES]
    starts = [Box(x - side / 2, y - side / 2, side, side) for side in sides]
    grown = [_grow(refiner, image, start, (int(x), int(y))) for start in starts]
    found = sorted((p for p in grown if p is not None), key=lambda p: -p.score)
    near = [p for p in found if p.score >= _NEARLY_BEST * found[0].score]
    ordered = [*sorted(near, key=lambda p: -p.box.w * p.box.h)[:1], *found]
    distinct: list[PointProposal] = []
    for proposal in ordered:
        if all(box_iou(proposal.box, other.box) < _SAME for other in distinct):
            distinct.append(proposal)
    return distinct


def _grow(refiner: Refiner, image: Image, box: Box, point: tuple[int, int]) -> PointProposal | None:
    """Go from a box to that of the mask at the point, until they agree or nothing is left."""
    for left in reversed(range(_ROUNDS)):
        refiner.initialize(image, box)
        refinement = refiner.refine(image, box)
        mask = None if refinement.mask is None else _part_at(refinement.mask, point)
        around = None if mask is None else mask_to_box(mask)
        if mask is None or around is None or min(around.w, around.h) < _MIN_SIDE:
            return None
        if left == 0:
            score = box_iou(around, box) * _sureness(refinement, around)
            return PointProposal(around, mask, score)
        box = around
    raise AssertionError("the last round returns")


def _part_at(mask: Mask, point: tuple[int, int]) -> Mask | None:
    """The connected part of a mask that holds a point (column, row)."""
    _, labels = cv2.connectedComponents(mask)
    label = labels[point[1], point[0]]
    return None if label == 0 else np.asarray(labels == label, np.uint8)


def _sureness(refinement: Refinement, box: Box) -> float:
    """How sure the mask's pixels are, and how well the corners agree with its box, 0..1."""
    if refinement.probability is None:
        return 0.0
    inside = refinement.probability[refinement.probability > _SURE]
    # A network without corners has only its mask to go by.
    agreement = 1.0 if refinement.box is None else box_iou(refinement.box, box)
    return float(inside.mean()) * agreement if inside.size else 0.0
