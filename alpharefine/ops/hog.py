"""Histograms of oriented gradients, as products of matrices on any device.

Source: Felzenszwalb et al., "Object Detection with Discriminatively Trained Part-Based Models"
(PAMI 2010), section 6.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

DIRECTIONS = 18
"""Of gradients; opposite ones are one orientation."""

CHANNELS = DIRECTIONS + DIRECTIONS // 2 + 4
"""Directions, orientations, and the energy in the four blocks that a cell is part of."""

_LARGEST = 0.2
"""Share of a block's energy that a histogram's bin is cut to."""


def histograms_of_gradients(images: Tensor, cell: int) -> Tensor:
    """Normalized histograms of each cell.

    Args:
        images: N x 3 x H x W float32, 0..255.
        cell: its side, px; divides H and W.

    Returns:
        N x 31 x H/cell x W/cell, 0..1.
    """
    magnitude, direction = _gradients(images)
    histograms = _pooled(magnitude, direction, cell)
    orientations = histograms[:, : DIRECTIONS // 2] + histograms[:, DIRECTIONS // 2 :]
    norms = _block_norms(orientations)
    both = torch.cat([histograms, orientations], 1)
    shares = (both[:, None] / norms[:, :, None]).clamp(max=_LARGEST)
    texture = shares[:, :, :DIRECTIONS].sum(2) * (DIRECTIONS**-0.5)
    return torch.cat([shares.mean(1) * 2, texture], 1)


def _gradients(images: Tensor) -> tuple[Tensor, Tensor]:
    """Length and direction, in steps of the histogram, of the channel that changes most."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    squares = across.square() + down.square()
    largest, channel = squares.max(1, keepdim=True)
    angle = torch.atan2(down.gather(1, channel), across.gather(1, channel))
    return largest.sqrt()[:, 0], (angle * (DIRECTIONS / (2 * math.pi)))[:, 0]


def _pooled(magnitude: Tensor, direction: Tensor, cell: int) -> Tensor:
    """Histograms: a gradient counts in two directions and in up to four cells."""
    lower = direction.floor()
    share = direction - lower
    first = lower.long() % DIRECTIONS
    planes = magnitude.new_zeros(len(magnitude), DIRECTIONS, *magnitude.shape[1:])
    planes.scatter_(1, first[:, None], (magnitude * (1 - share))[:, None])
    planes.scatter_(1, ((first + 1) % DIRECTIONS)[:, None], (magnitude * share)[:, None])
    rows = _tents(magnitude.shape[1], cell).to(planes)
    columns = _tents(magnitude.shape[2], cell).to(planes)
    return rows @ (planes @ columns.T)


@lru_cache(maxsize=32)
def _tents(length: int, cell: int) -> Tensor:
    """Weight of each pixel in each cell of an axis: cells x length."""
    middles = (torch.arange(length // cell) + 0.5) * cell
    distance = (torch.arange(length) + 0.5 - middles[:, None]).abs()
    return (1 - distance / cell).clamp_min(0) / cell


def _block_norms(orientations: Tensor) -> Tensor:
    """Norms of the 2 x 2 cells towards each corner of a cell: N x 4 x rows x columns."""
    energy = orientations.square().sum(1, keepdim=True)
    padded = F.pad(energy, (1, 1, 1, 1), mode="replicate")
    blocks = F.avg_pool2d(padded, 2, stride=1)[:, 0] * 4
    corners = (blocks[:, :-1, :-1], blocks[:, :-1, 1:], blocks[:, 1:, :-1], blocks[:, 1:, 1:])
    # A gray level of noise: cells without any gradient have no histogram.
    return (torch.stack(corners, 1) + 1.0).sqrt()
