"""The first frame's training samples: one expanded patch, cut and transformed."""

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.stage_timer import stage
from alpharefine.trackers.online.config import AugmentationConfig

Pixels = NDArray[np.float32]
Shift = tuple[int, int]
Transform = Callable[[Pixels, int, int, int], Pixels]
"""(expanded patch, top, left, side) -> side x side x 3."""


def expanded_size(config: AugmentationConfig, sample_size: int) -> int:
    """Side of the expanded patch: differs from the sample by an even number of pixels."""
    size = int(sample_size * config.expansion_factor)
    return size + (size - sample_size) % 2


def random_shift_count(config: AugmentationConfig) -> int:
    """Number of augmented samples with a random shift."""
    return _movable_count(config) if config.random_shift_factor else 0


def _movable_count(config: AugmentationConfig) -> int:
    """Number of augmented samples that could have one."""
    return int(config.flip) + len(config.blur_sigmas) + len(config.rotations)


def sample_shifts(
    config: AugmentationConfig, sample_size: int, uniform: NDArray[np.float32]
) -> list[Shift]:
    """Shift (y, x) of each sample in pixels, identity first.

    Args:
        config: which samples there are.
        sample_size: side of a sample, px.
        uniform: `random_shift_count` x 2 in [0, 1).
    """
    fixed = [
        (int(y * sample_size / 2), int(x * sample_size / 2)) for y, x in config.relative_shifts
    ]
    span = np.float32(sample_size) * np.float32(config.random_shift_factor)
    drawn = np.trunc((uniform - np.float32(0.5)) * span).astype(int)
    moved = [(int(y), int(x)) for y, x in drawn] or [(0, 0)] * _movable_count(config)
    return [(0, 0), *fixed, *config.shifts, *moved]


@stage("augmentation")
def augment(
    expanded: Pixels, shifts: list[Shift], config: AugmentationConfig, sample_size: int
) -> Pixels:
    """Augmented samples of the first frame.

    Args:
        expanded: E x E x 3 around the target.
        shifts: from `sample_shifts`; content moves by them.
        config: which samples there are.
        sample_size: side S of a sample, px.

    Returns:
        N x S x S x 3: identity, fixed shifts, flip, blurs, rotations.
    """
    margin = (expanded.shape[0] - sample_size) // 2
    transforms = _transforms(config)
    return np.stack(
        [
            transform(expanded, margin - dy, margin - dx, sample_size)
            for transform, (dy, dx) in zip(transforms, shifts, strict=True)
        ]
    )


def _transforms(config: AugmentationConfig) -> Iterator[Transform]:
    for _ in range(1 + len(config.relative_shifts) + len(config.shifts)):
        yield _cut
    if config.flip:
        yield _flip
    for sigma in config.blur_sigmas:
        yield partial(_blur, sigma=sigma)
    for angle in config.rotations:
        yield partial(_rotate, degrees=angle)


def _cut(expanded: Pixels, top: int, left: int, side: int) -> Pixels:
    """Cut; outside the patch its border is repeated."""
    height, width = expanded.shape[:2]
    if min(top, left) >= 0 and top + side <= height and left + side <= width:
        return expanded[top : top + side, left : left + side]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return expanded[rows][:, columns]


def _flip(expanded: Pixels, top: int, left: int, side: int) -> Pixels:
    return _cut(expanded[:, ::-1], top, left, side)


def _blur(expanded: Pixels, top: int, left: int, side: int, sigma: tuple[float, float]) -> Pixels:
    """Blur with normalized Gaussians of half width ceil(2 sigma)."""
    reach = int(np.ceil(2 * max(sigma)))
    kernel_y, kernel_x = (_gaussian(s) for s in sigma)
    low_y, low_x = max(top - reach, 0), max(left - reach, 0)
    region = expanded[low_y : top + side + reach, low_x : left + side + reach]
    # Beyond the patch there is nothing; where the region is only a part of it, its margin is.
    blurred = cv2.sepFilter2D(region, -1, kernel_x, kernel_y, borderType=cv2.BORDER_CONSTANT)
    return _cut(np.asarray(blurred, np.float32), top - low_y, left - low_x, side)


def _gaussian(sigma: float) -> NDArray[np.float32]:
    reach = int(np.ceil(2 * sigma))
    position = np.arange(-reach, reach + 1, dtype=np.float32)
    weights = np.exp(-0.5 * (position / np.float32(sigma)) ** 2)
    return np.asarray(weights / weights.sum(), np.float32)


def _rotate(expanded: Pixels, top: int, left: int, side: int, degrees: float) -> Pixels:
    """Rotate about the center of the expanded patch; only the wanted window is computed."""
    center = (expanded.shape[0] - 1) / 2
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    linear = np.array([[cos, sin], [-sin, cos]])
    offset = np.full(2, center) - linear @ np.full(2, center) - [left, top]
    matrix = np.column_stack([linear, offset])
    rotated = cv2.warpAffine(
        expanded, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(rotated, np.float32)
