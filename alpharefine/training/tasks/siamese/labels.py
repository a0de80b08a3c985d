"""What the networks of Siamese trackers should answer.

Source: Zhang and Peng (SiamDW), CVPR 2019; Li et al., "SiamRPN" (CVPR 2018), section 3.3.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_TINY = 1e-7


def center_labels(
    displacement: Tensor,
    cells: int,
    stride: int = 8,
    rounding: Literal["nearest", "floor"] = "nearest",
    radius: int = 2,
) -> Tensor:
    """1 in the cells around a target, 0 elsewhere.

    Args:
        displacement: N x 2, (x, y) of targets from the middle of their crops, px.
        cells: side of the labels.
        stride: px of a cell.
        rounding: the nearest cell is the middle one, or, as in the published program, that of the
            whole pixels divided by the stride and rounded down.
        radius: cells of the diamond around it.

    Returns:
        N x cells x cells.
    """
    steps = (displacement / stride).round()
    if rounding == "floor":
        steps = torch.div(displacement.round(), stride, rounding_mode="floor")
    centers = (steps + cells // 2).round()
    places = torch.arange(cells, device=displacement.device)
    columns = (places[None, None] - centers[:, 0, None, None]).abs()
    rows = (places[None, :, None] - centers[:, 1, None, None]).abs()
    return (columns + rows <= radius).to(displacement.dtype)


@dataclass(frozen=True)
class AnchorLabelConfig:
    """Which anchors count.

    Attributes:
        positive_iou: anchors with a larger intersection over union show the target.
        negative_iou: those with a smaller one do not; the others do not count.
        positives: of one pair at most.
        total: positives and negatives of one pair at most.
        foreign: negatives of a pair whose target is another one.
    """

    positive_iou: float = 0.6
    negative_iou: float = 0.3
    positives: int = 16
    total: int = 64
    foreign: int = 16


class AnchorTargets(NamedTuple):
    """What a network should answer for A anchors at s x s places.

    Attributes:
        labels: A x s x s int8: 1 target, 0 background, -1 does not count.
        offsets: 4 x A x s x s float32: dx, dy, dw, dh of the target's box, of all anchors.
    """

    labels: NDArray[np.int8]
    offsets: NDArray[np.float32]


def anchor_targets(
    box: NDArray[np.float64],
    anchors: NDArray[np.float64],
    config: AnchorLabelConfig,
    rng: np.random.Generator | np.random.RandomState,
    is_foreign: bool = False,
) -> AnchorTargets:
    """Labels of one pair.

    Args:
        box: x1, y1, x2, y2 of the target, search px.
        anchors: 4 x A x s x s, center x, center y, w, h, search px.
        config: which count.
        rng: chooses where there are too many; nothing is drawn where there are not.
        is_foreign: the box is not that of the template's target: all anchors are negative, and
            those near it are chosen.
    """
    overlap = anchor_ious(box, anchors)
    labels = np.full(overlap.shape, -1, np.int8)
    if is_foreign:
        near = _chosen(overlap.ravel() > config.negative_iou, config.foreign, rng)
        far = _chosen(overlap.ravel() < config.negative_iou, config.foreign - len(near), rng)
        labels.ravel()[np.concatenate([near, far])] = 0
    else:
        positive = _chosen(overlap.ravel() > config.positive_iou, config.positives, rng)
        count = config.total - len(positive)
        negative = _chosen(overlap.ravel() < config.negative_iou, count, rng)
        labels.ravel()[positive], labels.ravel()[negative] = 1, 0
    return AnchorTargets(labels, _offsets(box, anchors))


def anchor_ious(box: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of a box (corners) with each anchor (center and size)."""
    half = anchors[2:] / 2
    low, high = anchors[:2] - half, anchors[:2] + half
    corners = box.reshape(4, *[1] * (anchors.ndim - 1))
    inside = np.minimum(high, corners[2:]) - np.maximum(low, corners[:2])
    shared = np.prod(np.maximum(inside, 0), 0)
    areas = np.prod(high - low, 0), np.prod(corners[2:] - corners[:2], 0)
    overlap: NDArray[np.float64] = shared / (areas[0] + areas[1] - shared)
    return overlap


def _offsets(box: NDArray[np.float64], anchors: NDArray[np.float64]) -> NDArray[np.float32]:
    center = ((box[:2] + box[2:]) / 2).reshape(2, *[1] * (anchors.ndim - 1))
    size = (box[2:] - box[:2]).reshape(2, *[1] * (anchors.ndim - 1))
    moves = (center - anchors[:2]) / anchors[2:]
    scales = np.log(size / (anchors[2:] + _TINY) + _TINY)
    return np.concatenate([moves, scales]).astype(np.float32)


def _chosen(
    wanted: NDArray[np.bool_], limit: int, rng: np.random.Generator | np.random.RandomState
) -> NDArray[np.int64]:
    """Indices of at most `limit` of the wanted ones."""
    indices = np.flatnonzero(wanted)
    if len(indices) <= limit:
        return indices
    order = np.arange(len(indices))
    rng.shuffle(order)
    return indices[order[:limit]]
