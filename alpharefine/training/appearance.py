"""Cheap colour and sharpness changes of uint8 crops."""

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.trackers.base import Image


def change_colours(image: Image, rng: np.random.Generator, strength: float = 1.0) -> Image:
    """Random brightness, contrast, gamma, colour cast and saturation; seldom grey.

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
    grey = cv2.cvtColor(cv2.cvtColor(changed, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(changed, share, grey, 1 - share, 0), dtype=np.uint8)


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


def motion_kernel(rng: np.random.Generator, longest: int = 13) -> NDArray[np.float32]:
    """Kernel of a straight motion blur of random length and direction, sum 1."""
    side = int(rng.integers(3, longest + 1)) | 1
    kernel = np.zeros((side, side), np.float32)
    kernel[side // 2] = 1
    turn = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), rng.uniform(0, 180), 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (side, side)), dtype=np.float32)
    return kernel / kernel.sum()


def _resize(image: Image, side: int) -> Image:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
