"""Alpha-Refine's square crop around a box, and the way of boxes and masks back to the image.

Two coordinate conventions meet here. *Edges*: a box (x, y, w, h) covers the pixels x .. x + w - 1,
so the left edge of pixel i is i; image and crop edges are proportional. *Official*: the crop's
center is taken to be (S - 1) / 2 where the reference box is placed, and S / 2, at the unrounded
center of the box, where corners are mapped back. Both are kept, under separate names.

Source: SPEC of the VOT2020 and CVPR 2021 Alpha-Refine code, crop and back-projection.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.types import Box

Corners = tuple[float, float, float, float]
"""Edges (x1, y1, x2, y2) of a box, in crop pixels."""

_MAX_PIXELS = 2**26
"""Largest window that is cut: 8192 x 8192 px, 200 MB as an image."""


@dataclass(frozen=True)
class CropWindow:
    """Where a crop lies in its image.

    Attributes:
        box: the box (float px) that the window was made for.
        left: first image column of the window; may be negative.
        top: first image row of the window; may be negative.
        width: columns of the window, >= 1.
        height: rows of the window, >= 1.
        size: side S of the crop that the window is resized to.
    """

    box: Box
    left: int
    top: int
    width: int
    height: int
    size: int

    @property
    def scale(self) -> tuple[float, float]:
        """Crop pixels per image pixel, (horizontal, vertical)."""
        return self.size / self.width, self.size / self.height


def crop_window(box: Box, size: int, factor: float = 2.0) -> CropWindow:
    """Window of `factor` times the sides of `box`, rounded up, centerd on it.

    Args:
        box: image pixels.
        size: side of the crop, px.
        factor: window side / box side, for each axis separately.

    Raises:
        UsageError: the box is not finite, has no area or is too large to be cut.
    """
    if not box.is_valid:
        raise UsageError(f"cannot crop around the box {tuple(box)}: give one with positive sides")
    width, height = math.ceil(box.w * factor), math.ceil(box.h * factor)
    if width * height > _MAX_PIXELS:
        raise UsageError(f"cannot crop around the box {tuple(box)}: it is too large")
    left = round(box.x + box.w / 2 - width / 2)
    top = round(box.y + box.h / 2 - height / 2)
    return CropWindow(box, left, top, width, height, size)


def _overlap(start: int, length: int, limit: int) -> tuple[slice, slice]:
    """Slices of image and window where [start, start + length) meets [0, limit)."""
    low = min(max(start, 0), limit)
    high = max(min(start + length, limit), low)
    return slice(low, high), slice(low - start, high - start)


def cut_crop(
    image: NDArray[np.uint8], window: CropWindow, padded_border: bool = False
) -> NDArray[np.uint8]:
    """Cut the window, black outside the image, resized bilinearly to S x S.

    Args:
        image: H x W x 3 uint8.
        window: where to cut.
        padded_border: the image's last column (row) is black as well where the window touches or
            passes the right (bottom) border: the official padding is one too wide there.

    Returns:
        S x S x 3 uint8; the aspect ratio is not kept.
    """
    height, width = image.shape[:2]
    if padded_border:
        height -= window.top + window.height >= height
        width -= window.left + window.width >= width
    rows, patch_rows = _overlap(window.top, window.height, height)
    columns, patch_columns = _overlap(window.left, window.width, width)
    patch = np.zeros((window.height, window.width, 3), np.uint8)
    patch[patch_rows, patch_columns] = image[rows, columns]
    resized = cv2.resize(patch, (window.size, window.size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def reference_box(window: CropWindow) -> Corners:
    """The window's own box in its crop, centerd on (S - 1) / 2 and clamped to [0, S].

    This is what the network's kernel is pooled from.
    """
    center, (scale_x, scale_y) = (window.size - 1) / 2, window.scale
    half_w, half_h = window.box.w * scale_x / 2, window.box.h * scale_y / 2
    low_x, low_y = max(center - half_w, 0.0), max(center - half_h, 0.0)
    high_x, high_y = (min(center + half, float(window.size)) for half in (half_w, half_h))
    return low_x, low_y, high_x, high_y


def to_crop(box: Box, window: CropWindow) -> Corners:
    """Edges (x1, y1, x2, y2) of an image box in crop pixels; exact, not clamped."""
    scale_x, scale_y = window.scale
    x, y = (box.x - window.left) * scale_x, (box.y - window.top) * scale_y
    return x, y, x + box.w * scale_x, y + box.h * scale_y


def to_image(corners: Corners, window: CropWindow) -> Box:
    """Image box of the edges (x1, y1, x2, y2) in crop pixels, the inverse of `to_crop`."""
    return _scaled_box(corners, window, window.left, window.top)


def to_image_official(corners: Corners, window: CropWindow) -> Box:
    """As `to_image`, but from the crop origin that the official code assumes.

    It takes the window's origin as center - (w, h) of the box, unrounded, although the window was
    cut at rounded pixels and is up to 1 px larger: the result is up to 1 px off.
    """
    box = window.box
    return _scaled_box(corners, window, box.x - box.w / 2, box.y - box.h / 2)


def _scaled_box(corners: Corners, window: CropWindow, left: float, top: float) -> Box:
    x1, y1, x2, y2 = corners
    scale_x, scale_y = window.scale
    x, y = left + x1 / scale_x, top + y1 / scale_y
    return Box(x, y, (x2 - x1) / scale_x, (y2 - y1) / scale_y)


def map_to_image(
    values: NDArray[np.float32], window: CropWindow, height: int, width: int
) -> NDArray[np.float32]:
    """Bring a map of the crop back to the image.

    Args:
        values: S x S float32, for example the mask probability.
        window: where the crop was cut.
        height: image rows.
        width: image columns.

    Returns:
        height x width float32: bilinear inside the window, 0 outside it.
    """
    rows, patch_rows = _overlap(window.top, window.height, height)
    columns, patch_columns = _overlap(window.left, window.width, width)
    full = np.zeros((height, width), np.float32)
    full[rows, columns] = _resize_to_window(values, window)[patch_rows, patch_columns]
    return full


def mask_to_image(
    values: NDArray[np.float32], window: CropWindow, height: int, width: int, threshold: float
) -> NDArray[np.uint8]:
    """Mask of the image where `map_to_image` exceeds `threshold`: height x width uint8 {0, 1}."""
    rows, patch_rows = _overlap(window.top, window.height, height)
    columns, patch_columns = _overlap(window.left, window.width, width)
    full = np.zeros((height, width), np.uint8)
    inside = _resize_to_window(values, window)[patch_rows, patch_columns]
    full[rows, columns] = inside > np.float32(threshold)
    return full


def _resize_to_window(values: NDArray[np.float32], window: CropWindow) -> NDArray[np.float32]:
    resized = cv2.resize(values, (window.width, window.height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)
