"""Anchors, and from the answers for all of them to one box."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from alpharefine.trackers.siamese.config import AnchorConfig, RankConfig


@dataclass(frozen=True)
class Ranking:
    """How proposals were compared; all arrays have one entry for each of them.

    Attributes:
        penalties: factors 0..1 of the scores.
        values: what is largest for the best proposal; -inf where something is not finite.
        best: index of the best proposal, None where no value is finite.
    """

    penalties: NDArray[np.float64]
    values: NDArray[np.float64]
    best: tuple[int, ...] | None


@cache
def anchor_boxes(config: AnchorConfig, cells: int) -> NDArray[np.float32]:
    """4 x A x cells x cells: (center x, center y, w, h) in search px from the crop's center."""
    boxes = np.empty((4, len(config.ratios), cells, cells), np.float32)
    centers = (np.arange(cells) - cells // 2) * config.stride
    boxes[0], boxes[1] = centers, centers[:, None]
    for i, ratio in enumerate(config.ratios):
        # Truncated before they are scaled, as in the published systems.
        w = int(math.sqrt(config.stride**2 / ratio))
        boxes[2:, i] = np.array([w, int(w * ratio)]).reshape(2, 1, 1) * config.scale
    boxes.flags.writeable = False
    return boxes


@cache
def hann_window(cells: int) -> NDArray[np.float64]:
    """Cells x cells, 1 in the middle, 0 at the border."""
    window = np.outer(np.hanning(cells), np.hanning(cells))
    window.flags.writeable = False
    return window


def decode_boxes(offsets: NDArray[np.float32], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes of anchors moved and scaled as a network says.

    Args:
        offsets: 4 x ...: dx and dy in anchor sizes, logarithms of the scale of w and h.
        anchors: 4 x ...: center x, center y, w, h.

    Returns:
        Of the anchors' kind; sizes may overflow to infinity.
    """
    with np.errstate(over="ignore"):
        centers = offsets[:2] * anchors[2:] + anchors[:2]
        sizes = np.exp(offsets[2:]) * anchors[2:]
    return np.concatenate([centers, sizes])


def rank_proposals(
    scores: NDArray[np.float32],
    boxes: NDArray[np.float32],
    size: tuple[float, float],
    window: NDArray[np.float64],
    config: RankConfig,
) -> Ranking:
    """Compare proposals by score, by how much they change the target, and by where they are.

    Args:
        scores: probabilities of the target, A x s x s.
        boxes: 4 x A x s x s, center x, center y, w, h.
        size: w and h that the target has had, in the same pixels.
        window: s x s.
        config: how much each counts.
    """
    w, h = boxes[2:].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        scale = _change(_padded_side(w, h) / _padded_side(*np.array(size)))
        aspect = _change((size[0] / size[1]) / (w / h))
        penalties = np.exp((1 - aspect * scale) * config.penalty)
        values = (
            penalties * scores * (1 - config.window_influence) + window * config.window_influence
        )
    usable = np.isfinite(values) & np.isfinite(boxes).all(0)
    values = np.where(usable, values, -np.inf)
    best = np.unravel_index(int(values.argmax()), values.shape) if usable.any() else None
    return Ranking(penalties, values, None if best is None else tuple(map(int, best)))


def _padded_side(w: NDArray[np.float64], h: NDArray[np.float64]) -> NDArray[np.float64]:
    margin = (w + h) / 2
    side: NDArray[np.float64] = np.sqrt((w + margin) * (h + margin))
    return side


def _change(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    change: NDArray[np.float64] = np.maximum(ratio, 1 / ratio)
    return change
