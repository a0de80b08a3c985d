"""Square crops of a target with its context, one or several of different scales."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.trackers.siamese.config import ContextConfig
from alpharefine.types import Image

Color = NDArray[np.float64]
"""Mean of each channel over an image, 0..255."""

_MAX_SIDE = 8192


def cut_context(
    image: Image,
    center: tuple[float, float],
    side: int,
    size: int,
    fill: Color,
    config: ContextConfig,
) -> Image:
    """A square crop of an image, resized bilinearly.

    Args:
        image: H x W x 3.
        center: (x, y), px; anywhere.
        side: of the crop, whole px of the image.
        size: of the result, px.
        fill: color of what lies outside the image; fractions are cut off.
        config: how its corner is rounded.

    Returns:
        size x size x 3. Of a crop of more than 8192 px a side only every n-th pixel is read.
    """
    step = math.ceil(side / _MAX_SIDE)
    count = math.ceil(side / step)
    (left, columns), (top, rows) = (
        _inside(config.corner(c, side), count, step, length)
        for c, length in zip(center, image.shape[1::-1], strict=True)
    )
    pixels = image[rows, columns]
    height, width = pixels.shape[:2]
    if (height, width) != (count, count):
        canvas = np.empty((count, count, 3), np.uint8)
        canvas[:] = fill.astype(np.uint8)
        canvas[top : top + height, left : left + width] = pixels
        pixels = canvas
    if count == size:
        return pixels
    resized = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def cut_pyramid(
    image: Image,
    center: tuple[float, float],
    sides: Sequence[float],
    fill: Color,
    config: ContextConfig,
) -> tuple[tuple[int, ...], NDArray[np.uint8]]:
    """Search crops of several sides, cut out of one resized region.

    Cut straight from the image they would differ by up to two gray levels.

    Args:
        image: H x W x 3.
        center: (x, y), px.
        sides: of the crops, image px, in rising order.
        fill: color of what lies outside the image.
        config: size of the result and rounding.

    Returns:
        The sides in whole pixels, and N x S x S x 3.

    Source: Bertinetto et al., "SiamFC" (ECCVW 2016), with the published roundings.
    """
    rounded = tuple(config.round_side(side) for side in sides)
    size, largest = config.search_size, rounded[-1]
    shrink = size / rounded[0]
    region_size = config.round_side(shrink * largest)
    region = cut_context(image, center, largest, region_size, fill, config)
    middle = (1 + region_size) / 2, (1 + region_size) / 2
    crops = [
        cut_context(region, middle, config.round_side(shrink * side), size, fill, config)
        for side in rounded
    ]
    return rounded, np.stack(crops)


def mean_color(image: Image) -> Color:
    """Mean of each channel of an H x W x 3 image."""
    mean: Color = np.mean(image, axis=(0, 1))
    return mean


def _inside(start: int, count: int, step: int, length: int) -> tuple[int, slice]:
    """Which of the pixels start, start + step, ... lie in 0..length - 1.

    Returns:
        Number of the first one, and the pixels themselves.
    """
    first = min(max(math.ceil(-start / step), 0), count)
    last = min(max(math.ceil((length - start) / step), first), count)
    if first == last:
        return 0, slice(0, 0)
    return first, slice(start + first * step, start + (last - 1) * step + 1, step)
