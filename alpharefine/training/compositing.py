"""Cut-outs of objects, and pasting them before or behind the target of a frame."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.training.motion import Matrix, translation, warp
from alpharefine.types import Image, Mask

_MARGIN = 3
_EDGE_SIGMA = 0.7


@dataclass(frozen=True)
class Layer:
    """An object cut out of its image.

    Attributes:
        image: h x w x 3 RGB uint8, the object with a margin of its surroundings.
        alpha: h x w uint8, 255 = object.
        size: (width, height) of the object, px.
    """

    image: Image
    alpha: NDArray[np.uint8]
    size: tuple[float, float]

    @property
    def center(self) -> tuple[float, float]:
        """Center (x, y) of the object in the layer."""
        height, width = self.alpha.shape
        return (width - 1) / 2, (height - 1) / 2

    def placed(self, x: float, y: float, motion: Matrix) -> Matrix:
        """Map of the layer into a frame: its center to (x, y), changed by `motion` about it."""
        cx, cy = self.center
        return np.asarray(translation(x, y) @ motion @ translation(-cx, -cy))


def cut_out(frame: TrainFrame, side: float) -> Layer:
    """Cut the target out and scale it so that sqrt(width * height) is `side` px.

    The outermost pixel ring is left out: it is mixed with the background.

    Raises:
        FrameError: the frame has no mask, or the target is too thin to be cut out.
    """
    if frame.mask is None:
        raise FrameError("no mask to cut the target out with")
    mask = frame.mask
    if min(frame.box.w, frame.box.h) >= 24:
        kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
        mask = np.asarray(cv2.erode(mask, kernel, borderValue=1), dtype=np.uint8)
    box = mask_to_box(mask)
    if box is None:
        raise FrameError("the target is too thin to be cut out")
    x, y, w, h = (int(v) for v in box)
    padded = (_MARGIN, _MARGIN, _MARGIN, _MARGIN)
    image = cv2.copyMakeBorder(frame.image, *padded, cv2.BORDER_REPLICATE)
    alpha = cv2.copyMakeBorder(mask * np.uint8(255), *padded, cv2.BORDER_CONSTANT)
    area = slice(y, y + h + 2 * _MARGIN), slice(x, x + w + 2 * _MARGIN)
    factor = side / math.sqrt(w * h)
    return Layer(
        _scaled(image[area], factor), _scaled(alpha[area], factor), (w * factor, h * factor)
    )


def _scaled(image: cv2.typing.MatLike, factor: float) -> NDArray[np.uint8]:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    height, width = (max(round(v * factor), 1) for v in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), dtype=np.uint8)


def paste(
    image: Image, layer: Layer, matrix: Matrix, before: Mask | None = None
) -> tuple[Image, Mask]:
    """Paste a layer with soft edges.

    Args:
        image: H x W x 3, not changed.
        layer: what to paste.
        matrix: map of the layer into the image.
        before: H x W mask of what stays in front of the layer.

    Returns:
        The new image, and the mask of the layer's visible part (half covered or more).
    """
    height, width = image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    area = _covered(layer, matrix, height, width)
    if area is None:
        return image, mask
    rows, columns = area
    shape = columns.stop - columns.start, rows.stop - rows.start
    local = translation(-columns.start, -rows.start) @ matrix
    alpha = _softened(warp(layer.alpha, local, *shape, cv2.BORDER_CONSTANT))
    if before is not None:
        alpha = alpha * (1 - _softened(before[area] * np.uint8(255)))
    above = warp(layer.image, local, *shape, cv2.BORDER_REPLICATE).astype(np.float32)
    below = image[area].astype(np.float32)
    result = image.copy()
    result[area] = np.rint(below + (above - below) * alpha[..., None])
    mask[area] = alpha >= 0.5
    return result, mask


def _softened(alpha: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Alpha 0..1 with a soft edge, as a lens makes it."""
    blurred = cv2.GaussianBlur(alpha, (0, 0), _EDGE_SIGMA)
    return np.asarray(blurred, dtype=np.float32) / np.float32(255)


def _covered(layer: Layer, matrix: Matrix, height: int, width: int) -> tuple[slice, slice] | None:
    """Rows and columns of the image that the layer may reach; None when it is outside."""
    h, w = layer.alpha.shape
    corners = matrix @ np.array([[0, w - 1, 0, w - 1], [0, 0, h - 1, h - 1], [1.0, 1, 1, 1]])
    if (corners[2] < 0.1).any():
        return None
    points = corners[:2] / corners[2]
    left, top = np.maximum(np.floor(points.min(axis=1)) - 2, 0).astype(int)
    right, bottom = np.minimum(np.ceil(points.max(axis=1)) + 3, (width, height)).astype(int)
    if left >= right or top >= bottom:
        return None
    return slice(int(top), int(bottom)), slice(int(left), int(right))
