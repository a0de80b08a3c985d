"""Cheap color and sharpness changes of uint8 crops."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.types import Image


def change_colors(image: Image, rng: np.random.Generator, strength: float = 1.0) -> Image:
    """Random brightness, contrast, gamma, color cast and saturation; seldom gray.

    Args:
        image: H x W x 3 RGB uint8.
        rng: source of randomness.
        strength: 0 changes nothing, 1 is plenty.
    """
    levels = np.linspace(0, 1, 256)[:, None]
    gamma = np.exp(rng.normal(0, 0.2 * strength))
    gain = np.exp(rng.normal(0, 0.12 * strength)) * np.exp(rng.normal(0, 0.06 * strength, 3))
    shift = rng.normal(0, 0.04 * strength)
    table = np.clip(((levels**gamma - 0.5) * gain + 0.5 + shift) * 255, 0, 255).astype(np.uint8)
    changed = cv2.LUT(image, table.reshape(1, 256, 3))
    share = np.clip(rng.normal(1, 0.3 * strength), 0, 1.6)
    if rng.random() < 0.05 * strength:
        share = 0.0
    gray = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(changed, share, gray, 1 - share, 0), dtype=np.uint8)


def lose_detail(image: Image, rng: np.random.Generator) -> Image:
    """As from a small target or a moving camera: resampled, blurred, or left as it is.

    Args:
        image: S x S x 3 RGB uint8.
        rng: source of randomness.
    """
    size = image.shape[0]
    choice = rng.random()
    if choice < 0.35:
        small = int(size * rng.uniform(0.2, 0.8))
        image = _resize(_resize(image, small), size)
    elif choice < 0.5:
        image = np.asarray(cv2.filter2D(image, -1, motion_kernel(rng)), dtype=np.uint8)
    return image


def estrange(image: Image, rng: np.random.Generator) -> Image:
    """A target as from another side or in another light: hue, turn, covered parts.

    Each of them comes by chance, at least one. Pairs cut from one still look too much alike: what
    learns from them alone takes a target for lost once it has turned.

    Args:
        image: S x S x 3 RGB uint8, the target in its middle.
        rng: source of randomness.
    """
    chosen = rng.random(3) < 0.5
    chosen[rng.integers(3)] = True
    if chosen[0]:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        # OpenCV's hue has 180 steps; the wrap of uint8 at 256 must not be in the way.
        hsv[..., 0] = (hsv[..., 0] + rng.integers(180, dtype=np.uint16)) % 180
        image = np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), dtype=np.uint8)
    if chosen[1]:
        image = np.asarray(_turn(image, rng.uniform(20, 340), cv2.BORDER_REFLECT), dtype=np.uint8)
    return _cover_parts(image, rng) if chosen[2] else image


def _cover_parts(image: Image, rng: np.random.Generator) -> Image:
    """Up to three rectangles of the middle half hidden by a color or by what is elsewhere."""
    image, size = image.copy(), image.shape[0]
    for _ in range(rng.integers(1, 4)):
        height, width = rng.integers(size // 10, size // 3, 2)
        top, left = rng.integers(size // 4, 3 * size // 4 - np.array([height, width]) // 2)
        part = image[top : top + height, left : left + width]
        from_top, from_left = rng.integers(0, size - np.array([height, width]))
        elsewhere = image[from_top : from_top + height, from_left : from_left + width]
        if rng.random() < 0.5:
            part[...] = rng.integers(256, size=3)
        else:
            part[...] = elsewhere.copy()
    return image


def motion_kernel(rng: np.random.Generator, longest: int = 25) -> NDArray[np.float32]:
    """Kernel of a straight motion blur of random length and direction, sum 1."""
    side = int(rng.integers(3, longest + 1)) | 1
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    turned = _turn(kernel, rng.uniform(0, 180), cv2.BORDER_CONSTANT)
    kernel = np.asarray(turned, dtype=np.float32)
    return kernel / kernel.sum()


def _turn(square: NDArray[Any], degrees: float, border: int) -> NDArray[Any]:
    """A square array turned about its middle; `border` is OpenCV's way to fill the corners."""
    side = square.shape[0]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), degrees, 1)
    return cv2.warpAffine(square, matrix, (side, side), borderMode=border)


def _resize(image: Image, side: int) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
