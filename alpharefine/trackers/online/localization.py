"""Where the target is in a score map, and how far to trust it."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from alpharefine.geometry.base_crop import Pair
from alpharefine.trackers.online.config import LocalizationConfig

Scores = NDArray[np.float32]


class Flag(Enum):
    """Decision about one frame (`advanced_localization`)."""

    NORMAL = "normal"
    HARD_NEGATIVE = "hard_negative"
    UNCERTAIN = "uncertain"
    NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Localization:
    """Decision for one frame.

    Attributes:
        flag: how far to trust it.
        translation: (y, x) from the sample center, image pixels.
        peak: highest score.
    """

    flag: Flag
    translation: Pair
    peak: float


def localize(
    scores: Scores,
    target_size: Pair,
    previous_position: Pair,
    sample_position: Pair,
    sample_scale: np.float32,
    stride: float,
    config: LocalizationConfig,
    zero: float | None = None,
) -> Localization:
    """Find the target among its look-alikes.

    Args:
        scores: H' x W' score map.
        target_size: (h, w), image pixels, before this frame.
        previous_position: (y, x), image pixels.
        sample_position: (y, x) of the sample center, image pixels.
        sample_scale: image pixels per sample pixel.
        stride: sample pixels per score cell.
        config: thresholds.
        zero: row and column of no translation; None is the map's middle.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 4 and the `advanced_localization` of its
    published code.
    """
    score_size = np.array(scores.shape, np.float32)
    center = (score_size - 1) / 2 if zero is None else np.full(2, zero, np.float32)
    cell = np.float32(stride) * sample_scale
    first, first_score = peak(scores)

    def decide(flag: Flag, place: Pair) -> Localization:
        translation = np.asarray((place - center) * cell, np.float32)
        return Localization(flag, translation, float(first_score))

    if not first_score >= config.target_not_found_threshold:
        return decide(Flag.NOT_FOUND, first)

    neighborhood = np.float32(config.target_neighborhood_scale) * (target_size / sample_scale)
    neighborhood = neighborhood * (1 / np.float32(stride))
    second, second_score = peak(_without_neighborhood(scores, first, neighborhood))

    if second_score > config.distractor_threshold * first_score:
        previous = (previous_position - sample_position) / cell
        first_moved, second_moved = (
            np.linalg.norm(place - center - previous) for place in (first, second)
        )
        limit = config.displacement_scale * score_size[0] / 2
        if second_moved > limit > first_moved:
            return decide(Flag.HARD_NEGATIVE, first)
        if first_moved > limit > second_moved:
            return decide(Flag.HARD_NEGATIVE, second)
        return decide(Flag.UNCERTAIN, first)
    if (
        second_score > config.hard_negative_threshold * first_score
        and second_score > config.target_not_found_threshold
    ):
        return decide(Flag.HARD_NEGATIVE, first)
    return decide(Flag.NORMAL, first)


def peak(scores: Scores) -> tuple[Pair, np.float32]:
    """Position (row, column) of the maximum; among equals the first column, then the first row."""
    column = int(scores.max(axis=0).argmax())
    row = int(scores[:, column].argmax())
    return np.array([row, column], np.float32), scores[row, column]


def _without_neighborhood(scores: Scores, middle: Pair, size: Pair) -> Scores:
    low = np.maximum(np.rint(middle - size / 2), 0).astype(int)
    high = np.minimum(np.rint(middle + size / 2 + 1), scores.shape).astype(int)
    masked = scores.copy()
    masked[low[0] : high[0], low[1] : high[1]] = 0
    return masked
