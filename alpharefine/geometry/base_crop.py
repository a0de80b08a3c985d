"""The base tracker's square crop, with the integer geometry of the VOT2020 entry.

Positions and sizes are (y, x) and (h, w) float32 pairs, as in the official tracker.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pair = NDArray[np.float32]
"""Two float32 numbers, vertical first: (y, x) or (h, w)."""


@dataclass(frozen=True)
class Patch:
    """A crop resized to the sample size.

    Attributes:
        pixels: S x S x 3 float32, 0..255.
        coordinates: (top, left, bottom, right) in image pixels, bottom and right exclusive.
    """

    pixels: NDArray[np.float32]
    coordinates: NDArray[np.float32]

    @property
    def center(self) -> Pair:
        """Center (y, x) of the crop in image pixels."""
        center: Pair = (self.coordinates[:2] + self.coordinates[2:] - 1) / np.float32(2)
        return center

    @property
    def scale(self) -> np.float32:
        """Image pixels per sample pixel."""
        sides = (self.coordinates[2:] - self.coordinates[:2]) / np.float32(self.pixels.shape[0])
        return np.sqrt(np.prod(sides, dtype=np.float32))


def sample_patch(
    image: NDArray[np.uint8],
    center: Pair,
    scale: float,
    output_size: int,
    max_scale_change: float | None = None,
    forget_offset: bool = False,
) -> Patch:
    """Cut a square region around a position and resize it.

    Pixels outside the image repeat its border. Regions of more than twice the output's side are
    subsampled first, so that `center` is one of the pixels that are kept.

    Args:
        image: H x W x 3, RGB.
        center: (y, x) of the region, image pixels; truncated to integers.
        scale: image pixels per output pixel.
        output_size: side of the output, pixels.
        max_scale_change: None keeps the region where it is; a factor >= 1 ("inside_major") shrinks
            it by at most that factor until one side fits into the image, and moves it inside.
        forget_offset: leave out of the coordinates at which pixel subsampling started, as the
            official code does (`OfficialBehavior.lost_subsampling_offset`).

    Source: the official entry's crop; PyTorch 1.2 integer division.
    """
    image_size = np.array(image.shape[:2], np.int64)
    position = np.trunc(center).astype(np.int64)
    size = np.full(2, np.float32(scale) * np.float32(output_size), np.float32)
    if max_scale_change is not None:
        shrink = np.clip(np.min(size / image_size.astype(np.float32)), 1, max_scale_change)
        size = np.trunc(size / np.float32(shrink))
    factor = max(int(np.min(size) / np.float32(output_size) - np.float32(0.1)), 1)
    offset = position % factor
    position = (position - offset) // factor
    grid_size = -((offset - image_size) // factor)
    side = np.maximum(np.rint(size / np.float32(factor)), 2).astype(np.int64)
    top_left = position - (side - 1) // 2
    bottom_right = position + side // 2 + 1
    if max_scale_change is not None:
        shift = _shift_inside(top_left, bottom_right, grid_size)
        top_left, bottom_right = top_left + shift, bottom_right + shift
    pixels = _cut_replicate(image, top_left, bottom_right, offset, factor)
    if pixels.shape[:2] != (output_size, output_size):
        resized = cv2.resize(pixels, (output_size, output_size), interpolation=cv2.INTER_LINEAR)
        pixels = np.asarray(resized, np.float32)
    start = np.zeros_like(offset) if forget_offset else offset
    corners = np.concatenate([top_left * factor + start, bottom_right * factor + start])
    return Patch(pixels, corners.astype(np.float32))


def _shift_inside(
    top_left: NDArray[np.int64], bottom_right: NDArray[np.int64], image_size: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Move a region into the image; one larger than the image overhangs equally on both sides."""
    shift = np.maximum(-top_left, 0) - np.maximum(bottom_right - image_size, 0)
    top_left, bottom_right = top_left + shift, bottom_right + shift
    outside = (np.maximum(-top_left, 0) + np.maximum(bottom_right - image_size, 0)) // 2
    return np.asarray(shift + np.where(outside > 0, -top_left - outside, 0), np.int64)


def _cut_replicate(
    image: NDArray[np.uint8],
    top_left: NDArray[np.int64],
    bottom_right: NDArray[np.int64],
    offset: NDArray[np.int64],
    factor: int,
) -> NDArray[np.float32]:
    """Region of the subsampled image as float32, its border repeated outside."""
    rows, columns = (
        _clamped_indices(*axis, factor)
        for axis in zip(top_left, bottom_right, offset, image.shape[:2], strict=True)
    )
    if isinstance(rows, slice) and isinstance(columns, slice):
        return image[rows, columns].astype(np.float32)
    return image[rows][:, columns].astype(np.float32)


def _clamped_indices(
    start: int, stop: int, offset: int, length: int, factor: int
) -> slice | NDArray[np.int64]:
    last = (length - 1 - offset) // factor
    if start >= 0 and stop <= last + 1:
        return slice(offset + start * factor, offset + (stop - 1) * factor + 1, factor)
    return offset + factor * np.clip(np.arange(start, stop), 0, last)
