"""Pictures of DiMP's predictions."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.training.pictures import (
    PREDICTED,
    TRUTH,
    arrange,
    blend,
    corners_of,
    draw_box,
)
from alpharefine.types import Image

_STRIDE = 16
"""Crop pixels per score cell; cell i lies at pixel 16 i."""


def prediction_grid(
    images: Tensor, boxes: Tensor, scores: Tensor, predicted: Tensor, columns: int = 4
) -> Image:
    """First training crop, first test crop with boxes, and the same with its scores, a sample each.

    True boxes are green, predicted boxes and scores are red.

    Args:
        images: B x N x S x S x 3 uint8, training crops first.
        boxes: B x N x 4, (x, y, w, h) in crop pixels.
        scores: B x T x H x W, of the T test crops.
        predicted: B x T x 4, as `boxes`.
        columns: samples in a row.

    Returns:
        RGB picture.
    """
    test = images.shape[1] - scores.shape[1]
    tiles = []
    for k in range(len(images)):
        train_crop = images[k, 0].cpu().numpy().copy()
        draw_box(train_crop, corners_of(boxes[k, 0]), TRUTH)
        test_crop = images[k, test].cpu().numpy().copy()
        heat = blend(test_crop, _heat(scores[k, 0], len(test_crop)))
        draw_box(test_crop, corners_of(boxes[k, test]), TRUTH)
        draw_box(test_crop, corners_of(predicted[k, 0]), PREDICTED)
        tiles.append(np.hstack([train_crop, test_crop, heat]))
    return arrange(tiles, columns)


def _heat(scores: Tensor, size: int) -> NDArray[np.float32]:
    scale = np.array([[_STRIDE, 0, 0], [0, _STRIDE, 0]], np.float32)
    values = scores.float().clamp(0, 1).cpu().numpy()
    return np.asarray(cv2.warpAffine(values, scale, (size, size)), np.float32)
