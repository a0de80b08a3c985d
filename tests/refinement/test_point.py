"""A point on an object to its box, with the bundled weights."""

import numpy as np
import pytest

from alpharefine.build import build_refiner
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import box_iou, mask_to_box
from alpharefine.refinement.point import boxes_at_point
from alpharefine.refinement.refiner import Refiner
from alpharefine.types import Box, Image

DISK = Box(90, 50, 60, 60)


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    return build_refiner(device="cpu", precision="float32")


def scene() -> Image:
    """An orange disk on a mottled green ground."""
    random = np.random.default_rng(0)
    ground = random.normal(0, 12, (160, 240, 1)) + np.array((60, 110, 70))
    y, x = np.mgrid[:160, :240]
    inside = (x - 119.5) ** 2 + (y - 79.5) ** 2 < 30**2
    ground[inside] = (230, 130, 40)
    return np.clip(ground, 0, 255).astype(np.uint8)


def test_the_object_at_a_point_is_proposed_first(refiner: Refiner) -> None:
    proposals = boxes_at_point(refiner, scene(), (125.0, 84.0))
    best = proposals[0]
    assert box_iou(best.box, DISK) > 0.8
    assert best.mask.shape == (160, 240) and best.mask[84, 125] == 1
    assert mask_to_box(best.mask) == best.box and 0 <= best.score <= 1
    boxes = [proposal.box for proposal in proposals]
    pairs = [(a, b) for n, a in enumerate(boxes) for b in boxes[:n]]
    assert all(box_iou(a, b) < 0.8 for a, b in pairs), "each is another one"


@pytest.mark.parametrize("point", [(-1.0, 5.0), (240.0, 5.0), (5.0, float("nan"))])
def test_a_point_outside_the_image(refiner: Refiner, point: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="outside the 240x160 frame"):
        boxes_at_point(refiner, scene(), point)
