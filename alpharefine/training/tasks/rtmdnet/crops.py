"""Crops of a clip as the tracker sees its scenes: the sides of targets become equally long."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.training.crops import AppearanceConfig, Sample
from alpharefine.training.tasks.rtmdnet.config import SceneCropConfig
from alpharefine.types import Image

_LEAST_SIDE = 3.0
"""Of a target, image px."""


@dataclass(frozen=True)
class SceneCutter:
    """Cuts the frames of a clip.

    Attributes:
        config: geometry.
        appearance: color and sharpness changes.
    """

    config: SceneCropConfig
    appearance: AppearanceConfig

    def __call__(self, frames: list[TrainFrame], rng: np.random.Generator) -> Sample:
        """Sample of a clip.

        Returns:
            images: F x S x S x 3 uint8.
            boxes: F x 4 float32, (x, y, w, h) of the targets, crop px.

        Raises:
            FrameError: a target is too small.
        """
        crops, boxes = zip(*(self._cut(frame, rng) for frame in frames), strict=True)
        return {"images": np.stack(self.appearance.apply(crops, rng)), "boxes": np.stack(boxes)}

    def _cut(
        self, frame: TrainFrame, rng: np.random.Generator
    ) -> tuple[Image, NDArray[np.float32]]:
        config, box = self.config, frame.box
        if min(box.w, box.h) < _LEAST_SIDE:
            raise FrameError("the target is too small")
        side = config.object_size * np.exp(config.scale_jitter * np.clip(rng.normal(), -2, 2))
        shift = (rng.random(2) * 2 - 1) * config.center_jitter * side
        corner = (config.size - side) / 2 + shift
        factor = side / np.array([box.w, box.h])
        offset = corner - factor * np.array([box.x, box.y])
        place = np.array([[factor[0], 0, offset[0]], [0, factor[1], offset[1]]])
        # Linear, as scenes are cut, and black outside the image.
        crop = cv2.warpAffine(frame.image, place, (config.size, config.size))
        found = np.array([*corner, side, side], np.float32)
        return np.asarray(crop, np.uint8), found
