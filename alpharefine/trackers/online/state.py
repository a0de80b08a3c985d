"""The target's position, size and scale, and its box in a sample."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.geometry.base_crop import Pair
from alpharefine.types import Box


class Fallback(StrEnum):
    """What of a frame gave no usable numbers, so that the last state was kept."""

    SCORES = "score maps that are not finite"
    FILTER = "filter updates that are not finite"
    BOX = "box refinements without a usable box"


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


@dataclass(frozen=True)
class SamplePlace:
    """Where a square sample lies in its image.

    Attributes:
        center: (y, x), image px.
        scale: image pixels per sample pixel.
        size: side of the sample, px.
    """

    center: Pair
    scale: np.float32
    size: int

    def box_of(self, state: TargetState) -> Tensor:
        """A target's box (x, y, w, h) in sample pixels, float32."""
        return torch.from_numpy(
            box_in_sample(state.position, state.size, self.center, self.scale, self.size)
        )


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
