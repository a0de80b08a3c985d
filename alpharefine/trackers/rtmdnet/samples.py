"""Boxes around a target."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alpharefine.trackers.rtmdnet.config import Bounds, SamplesConfig

Boxes = NDArray[np.float32]
"""N x 4, (x, y, w, h) in image px."""

_LEAST_SIDE = 5
_LAST_FACTOR = 8
"""Of the boxes that are still wanted, as many are drawn in the last attempt."""


class SampleDraws:
    """All random numbers of a run: places from numpy, what is dropped from torch.

    Args:
        seed: of both.
    """

    def __init__(self, seed: int) -> None:
        self.places = np.random.RandomState(seed)
        self.dropped = torch.Generator().manual_seed(seed)

    def snapshot(self) -> Any:
        """What decides about the draws to come."""
        return self.places.get_state(), self.dropped.get_state()

    def resume(self, snapshot: Any) -> None:
        """Repeat the draws since a snapshot."""
        places, dropped = snapshot
        self.places.set_state(places)
        self.dropped.set_state(dropped)


def box_overlap(boxes: NDArray[Any], target: NDArray[Any]) -> NDArray[Any]:
    """Intersection over union of N x 4 boxes (x, y, w, h) with one, or with N."""
    low = np.maximum(boxes[:, :2], target[..., :2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], target[..., :2] + target[..., 2:])
    shared = np.maximum(high - low, 0).prod(1)
    union = boxes[:, 2:].prod(1) + target[..., 2:].prod(-1) - shared
    overlap: NDArray[Any] = shared / union
    return overlap


def within(values: NDArray[Any], bounds: Bounds) -> NDArray[np.bool_]:
    """Which values are in a range, ends included."""
    return np.asarray((values >= bounds[0]) & (values <= bounds[1]))


def draw_boxes(
    target: NDArray[Any], config: SamplesConfig, image_size: tuple[int, int], draws: SampleDraws
) -> Boxes:
    """Boxes around a target.

    Args:
        target: (x, y, w, h), image px.
        config: how many, and which.
        image_size: (W, H), px.
        draws: random numbers.

    Returns:
        At most `config.count` boxes: it can be that too few are in the ranges, or none.
    """
    target = np.asarray(target, np.float32)
    if config.iou is None and config.area is None:
        return _draw(target, config, config.count, image_size, draws)
    kept = np.zeros((0, 4), np.float32)
    factor = 2
    while len(kept) < config.count and factor <= _LAST_FACTOR:
        missing = config.count - len(kept)
        boxes = _draw(target, config, missing * factor, image_size, draws)
        fits = np.ones(len(boxes), bool)
        if config.iou is not None:
            fits &= within(box_overlap(boxes, target), config.iou)
        if config.area is not None:
            fits &= within(boxes[:, 2:].prod(1) / target[2:].prod(), config.area)
        kept = np.concatenate([kept, boxes[fits][:missing]])
        factor *= 2
    return kept


def _draw(
    target: Boxes,
    config: SamplesConfig,
    count: int,
    image_size: tuple[int, int],
    draws: SampleDraws,
) -> Boxes:
    """Boxes in float32, changed in place by float64 factors as in the published tracker."""
    random, size = draws.places, np.asarray(image_size)
    start = np.concatenate([target[:2] + target[2:] / 2, target[2:]])
    boxes = np.tile(start[None], (count, 1))
    if config.aspect is not None:
        lean = random.rand(count, 1) * 2 - 1
        boxes[:, 2:] *= config.aspect ** np.concatenate([lean, -lean], axis=1)
    reach = config.shift * np.mean(target[2:])
    if config.kind == "gaussian":
        boxes[:, :2] += reach * np.clip(0.5 * random.randn(count, 2), -1, 1)
        boxes[:, 2:] *= config.scale ** np.clip(0.5 * random.randn(count, 1), -1, 1)
    else:
        boxes[:, :2] += reach * (random.rand(count, 2) * 2 - 1)
        boxes[:, 2:] *= config.scale ** (random.rand(count, 1) * 2 - 1)
    boxes[:, 2:] = np.clip(boxes[:, 2:], _LEAST_SIDE, np.maximum(size - _LEAST_SIDE, _LEAST_SIDE))
    half = boxes[:, 2:] / 2
    if config.inside:
        boxes[:, :2] = np.clip(boxes[:, :2], half, size - half - 1)
    else:
        boxes[:, :2] = np.clip(boxes[:, :2], 0, size)
    boxes[:, :2] -= half
    return boxes
