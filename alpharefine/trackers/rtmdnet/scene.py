"""The part of an image that boxes lie in, and the boxes on its map."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.ops.roi_sampling import sample_region
from alpharefine.trackers.rtmdnet.config import SceneConfig
from alpharefine.trackers.rtmdnet.samples import Boxes

_LEAST_SIDE = 107
"""Smaller scenes have no cell on the map."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """A region of an image, and the size it is stretched to.

    Attributes:
        origin: (x, y) of the region, image px.
        extent: (w, h) of it.
        size: (w, h) of the network's input, px.
        ratio: network px per image px, as boxes are mapped, (x, y).
    """

    origin: Numbers
    extent: Numbers
    size: tuple[int, int]
    ratio: Numbers

    def cut(self, image: Tensor) -> Tensor:
        """Its pixels of an image, 3 x H x W float32, zero outside: 3 x rows x columns."""
        corners = np.concatenate([self.origin, self.origin + self.extent]).astype(np.float32)
        width, height = self.size
        return sample_region(image, torch.from_numpy(corners).to(image.device), (height, width))

    def regions(self, boxes: Boxes, config: SceneConfig, receptive_field: int) -> Tensor:
        """Where boxes are on the map, N x 4 corners in network px.

        What a cell sees is as wide as the receptive field: a box has no cells at its end.
        """
        # In float32 step by step: regions' samples jump where rounding does.
        low = boxes[:, :2] - self.origin.astype(np.float32)
        high = low + boxes[:, 2:]
        margin = (high - low) * np.float32((config.padding - 1) / 2)
        ratio = self.ratio.astype(np.float32)
        low, high = (low - margin) * ratio, (high + margin) * ratio
        high = np.maximum(low + 1, high - np.float32(receptive_field))
        return torch.from_numpy(np.concatenate([low, high], 1))


def scene_box(boxes: Boxes, image_size: tuple[int, int], config: SceneConfig) -> Numbers:
    """The region (x, y, w, h) with all padded boxes in it; it touches the image."""
    margin = (config.padding - 1) / 2
    boxes = boxes.astype(np.float64)
    low = (boxes[:, :2] - margin * boxes[:, 2:]).min(0)
    high = (boxes[:, :2] + (1 + margin) * boxes[:, 2:]).max(0)
    low = np.where(low > image_size, np.asarray(image_size) - 1, low)
    extent = np.where(high < 0, 1 - low, high - low)
    return np.concatenate([low, extent])


def scene_of(
    region: Numbers, target: NDArray[np.float64], config: SceneConfig, factor: float = 1.0
) -> Scene:
    """The scene of a region in which a target has the usual size.

    Args:
        region: (x, y, w, h), image px.
        target: the same.
        config: that size.
        factor: of that size.
    """
    wanted = np.trunc(np.trunc(region[2:] * config.object_size / target[2:]) * factor)
    size = np.clip(wanted, _LEAST_SIDE, config.largest)
    ratio = config.object_size * factor / target[2:]
    ratio = np.where(size != wanted, size / region[2:], ratio)
    return Scene(region[:2], region[2:], (int(size[0]), int(size[1])), ratio)
