"""Box regression from a region's features, learned in the first frame."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.trackers.rtmdnet.config import SamplesConfig
from alpharefine.trackers.rtmdnet.samples import box_overlap, within

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class BoxRegression:
    """A linear map of features to a box's move.

    Attributes:
        weights: C x 4 float64: shift of the center in sides, logarithms of the sides' factors.
        offsets: 4.
    """

    weights: Tensor
    offsets: Tensor

    def move(
        self, features: Tensor, boxes: Numbers, image_size: tuple[int, int], config: SamplesConfig
    ) -> Numbers:
        """Moved boxes, in the image; a move to a box unlike its sample is left out.

        Args:
            features: N x C of the boxes.
            boxes: N x 4, (x, y, w, h) image px.
            image_size: (W, H), px.
            config: how like.
        """
        by = (features.double() @ self.weights + self.offsets).cpu().numpy()
        with np.errstate(over="ignore", invalid="ignore"):
            size = boxes[:, 2:] * np.exp(by[:, 2:])
            center = boxes[:, :2] + boxes[:, 2:] / 2 + by[:, :2] * boxes[:, 2:]
            moved = np.concatenate([center - size / 2, size], 1)
            alike = _alike(boxes, moved, config)
        moved = np.where(alike[:, None], moved, boxes)
        moved[:, :2] = np.maximum(moved[:, :2], 0)
        moved[:, 2:] = np.minimum(moved[:, 2:], np.asarray(image_size) - boxes[:, :2])
        return moved

    def to(self, device: torch.device) -> "BoxRegression":
        """The same on a device."""
        return BoxRegression(self.weights.to(device), self.offsets.to(device))


def _alike(boxes: Numbers, other: Numbers, config: SamplesConfig) -> NDArray[np.bool_]:
    """Which boxes overlap others enough and are as large or larger, within limits."""
    assert config.iou is not None and config.area is not None
    fits = within(box_overlap(boxes, other), config.iou)
    return fits & within(boxes[:, 2:].prod(1) / other[..., 2:].prod(-1), config.area)


def fit_regression(
    features: Tensor, boxes: Numbers, target: Numbers, config: SamplesConfig, ridge: float
) -> BoxRegression | None:
    """Ridge regression of what moves samples onto the target; None without samples.

    Args:
        features: N x C.
        boxes: N x 4, (x, y, w, h) image px.
        target: the same, one.
        config: which samples are taken.
        ridge: weight of the squares of the weights.
    """
    kept = _alike(boxes, target, config)
    if not kept.any():
        return None
    boxes = boxes[kept]
    shift = (target[:2] + target[2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2) / boxes[:, 2:]
    wanted = torch.from_numpy(np.concatenate([shift, np.log(target[2:] / boxes[:, 2:])], 1))
    x = features[torch.from_numpy(kept).to(features.device)].double()
    y = wanted.to(x)
    x_mean, y_mean = x.mean(0), y.mean(0)
    x, y = x - x_mean, y - y_mean
    # There are fewer samples than features.
    gram = x @ x.T + ridge * torch.eye(len(x), dtype=x.dtype, device=x.device)
    weights = x.T @ torch.linalg.solve(gram, y)
    return BoxRegression(weights, y_mean - x_mean @ weights)
