"""Whether a target is there, and where to look for one that is not."""

import math
from dataclasses import replace

import numpy as np

from alpharefine.geometry.base_crop import Pair
from alpharefine.multi.config import PresenceConfig, RedetectionConfig
from alpharefine.refinement.refiner import Refinement
from alpharefine.trackers.online.state import pair
from alpharefine.types import Estimate

_MASK = 0.5
"""Probability from which on a pixel counts here, whatever threshold answered masks have."""

_NO_MASK = 0.5
"""Stands for the mean probability in a mask where there is none."""


class Presence:
    """The decision about one target, frame by frame.

    Args:
        config: when it is absent; None if that is never said.

    Attributes:
        absent: frames in a row for which the target has been absent; 0 while it is there.
    """

    def __init__(self, config: PresenceConfig | None) -> None:
        self._config = config
        self._doubts = 0
        self.absent = 0

    def judge(self, estimate: Estimate, refinement: Refinement | None) -> Estimate:
        """The answer of a frame, said to be absent where it is."""
        config = self._config
        if config is None:
            return estimate
        probability = presence_probability(estimate, refinement, config)
        self._doubts = self._doubts + 1 if probability < config.threshold else 0
        self.absent = self.absent + 1 if self._doubts >= config.patience else 0
        return replace(estimate, absent=self.absent > 0)


def presence_probability(
    estimate: Estimate, refinement: Refinement | None, config: PresenceConfig
) -> float:
    """Probability of the target's presence, 0..1, by what one frame says."""
    logit = config.bias + config.score_weight * estimate.confidence
    logit += config.mask_weight * mask_quality(estimate, refinement)
    return 1 / (1 + math.exp(-max(min(logit, 50.0), -50.0)))


def mask_quality(estimate: Estimate, refinement: Refinement | None) -> float:
    """Mean probability in the refiner's mask, 0..1; 0 of an empty one, 0.5 without any."""
    if refinement is None or refinement.probability is None or estimate.mask is None:
        return _NO_MASK
    inside = refinement.probability[refinement.probability > _MASK]
    return float(inside.mean()) if inside.size else 0.0


def place_to_look(
    frames: int, last: Pair, side: float, image_size: tuple[int, int], config: RedetectionConfig
) -> Pair:
    """Center of the search region at which an absent target is looked for, beside the usual one.

    Places of a grid over the image come in the order of their distance from where the target was
    last seen, the nearest one first, and again from the nearest one when all were visited.

    Args:
        frames: for which the target has been absent, from 1.
        last: center (y, x) where it was last seen, image px.
        side: of a search region, image px.
        image_size: height and width, px.
        config: distance between two places.
    """
    step = max(side * config.step, 1.0)
    axes = [
        np.linspace(0, length, max(round(length / step), 1) + 1)[:-1]
        + length / max(round(length / step), 1) / 2
        for length in image_size
    ]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    order = np.argsort(np.linalg.norm(grid - last, axis=1), kind="stable")
    y, x = grid[order[(frames - 1) % len(order)]]
    return pair(float(y), float(x))
