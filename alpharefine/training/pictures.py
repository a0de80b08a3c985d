"""Drawing what a network predicts beside the truth."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.types import Image

TRUTH, PREDICTED = (0, 255, 0), (255, 40, 40)
"""Colors (RGB)."""

_STRENGTH = 0.6


def draw_box(image: Image, corners: NDArray[np.float32], color: tuple[int, int, int]) -> None:
    """Draw a box, (x1, y1, x2, y2) in pixels, into an image."""
    x1, y1, x2, y2 = (int(v) for v in np.clip(corners, -4096, 4096).round())
    cv2.rectangle(image, (x1, y1), (x2, y2), color, 1)


def corners_of(box: Tensor) -> NDArray[np.float32]:
    """(x, y, w, h) -> (x1, y1, x2, y2)."""
    x, y, w, h = box.float().cpu().numpy()
    return np.array([x, y, x + w, y + h], np.float32)


def blend(image: Image, strength: NDArray[np.float32]) -> Image:
    """The image with the predicted color over it, as strong as `strength`, H x W in 0..1."""
    share = (_STRENGTH * strength)[..., None]
    return np.asarray(image * (1 - share) + share * np.array(PREDICTED), dtype=np.uint8)


def arrange(tiles: Sequence[Image], columns: int) -> Image:
    """Pictures of equal size, half as large, side by side in rows of `columns`."""
    height, width = tiles[0].shape[:2]
    size = (width // 2, height // 2)
    small = [cv2.resize(tile, size, interpolation=cv2.INTER_AREA) for tile in tiles]
    small += [np.zeros_like(small[0])] * (-len(small) % columns)
    rows = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
    return np.asarray(np.vstack(rows), dtype=np.uint8)
