"""The target's position, size and scale, and its box in a sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpharefine.geometry.base_crop import Pair
from alpharefine.types import Box


@dataclass(frozen=True)
class TargetState:
    """The target in an image.

    Attributes:
        position: center (y, x); a box at x of width w has its center at x + (w - 1) / 2.
        size: (h, w), px.
        scale: image pixels per sample pixel.
    """

    position: Pair
    size: Pair
    scale: np.float32

    @property
    def box(self) -> Box:
        """Box in image pixels."""
        y, x = self.position - (self.size - 1) / 2
        h, w = self.size
        return Box(float(x), float(y), float(w), float(h))


def pair(vertical: float, horizontal: float) -> Pair:
    """A (y, x) or (h, w) pair."""
    return np.array([vertical, horizontal], np.float32)


def box_in_sample(
    position: Pair, size: Pair, sample_position: Pair, sample_scale: np.float32, sample_size: int
) -> NDArray[np.float32]:
    """Box (x, y, w, h) in sample pixels of a target at `position` of `size`."""
    center = (position - sample_position) / sample_scale + np.float32(sample_size - 1) / 2
    scaled = size / sample_scale
    top_left = center - (scaled - 1) / 2
    return np.concatenate([top_left[::-1], scaled[::-1]]).astype(np.float32)


def keep_inside(position: Pair, size: Pair, image_size: Pair, inside_ratio: float) -> Pair:
    """Move a position so that about `inside_ratio` of the target stays in the image."""
    margin = np.float32(inside_ratio - 0.5) * size
    return np.asarray(np.maximum(np.minimum(position, image_size - margin), margin), np.float32)


def scale_of(size: Pair, base_size: Pair) -> np.float32:
    """Image pixels per sample pixel at which `size` has the area of `base_size`."""
    return np.sqrt(np.prod(size) / np.prod(base_size))
