"""Pairs for Siamese training: template and search crop, jittered each on its own.

Source: Zhang and Peng (SiamDW), CVPR 2019, and the published program's settings.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.trackers.siamese.config import ContextConfig
from alpharefine.trackers.siamese.context import mean_color
from alpharefine.training.crops import AppearanceConfig, Sample
from alpharefine.training.tasks.siamese.config import JitterConfig, SiameseCropConfig
from alpharefine.types import Box, Image

Draw = Callable[[], float]
"""A random number in [0, 1)."""

_LEAST_VISIBLE = 4.0
"""px of the target that a search crop has at least, each way."""


@dataclass(frozen=True)
class Jitter:
    """Random numbers of one crop; pairs are (x, y).

    Attributes:
        shift: of the crop, crop px.
        scale: of its sides.
        is_blurred: whether the crop is blurred.
    """

    shift: tuple[float, float]
    scale: tuple[float, float]
    is_blurred: bool


@dataclass(frozen=True)
class JitteredCrop:
    """A crop and where its target is.

    Attributes:
        image: S x S x 3.
        box: x1, y1, x2, y2 of the target, crop px.
        shift: that was possible within the base crop, (x, y).
    """

    image: Image
    box: NDArray[np.float64]
    shift: tuple[float, float]


def draw_jitter(config: JitterConfig, draw: Draw) -> Jitter:
    """Five numbers: shift x, shift y, scale x, scale y, blur."""
    x, y, width, height = (2 * draw() - 1 for _ in range(4))
    return Jitter(
        (config.shift * x, config.shift * y),
        (1 + config.scale * width, 1 + config.scale * height),
        draw() < config.blur,
    )


def base_crop(image: Image, box: Box, size: int, context: ContextConfig) -> Image:
    """The square around a target that a template of `size` px at its own scale would show.

    Args:
        image: H x W x 3.
        box: target, image px.
        size: of the result, px.
        context: scale: a target with its context fills `context.template_size` px.

    Returns:
        size x size x 3; what lies outside the image has its mean color.
    """
    side = context.side(box.w, box.h) * size / context.template_size
    left, top = box.x + (box.w - side) / 2, box.y + (box.h - side) / 2
    return _warp(image, (left, top), (side, side), size, tuple(mean_color(image)))


def jitter_crop(base: Image, size: tuple[float, float], out: int, jitter: Jitter) -> JitteredCrop:
    """A crop of a base crop.

    Args:
        base: S x S x 3, the target in its middle.
        size: (w, h) of the target in it, px.
        out: side of the result, px.
        jitter: what to change.
    """
    middle, last = len(base) // 2, len(base) - 1
    sides = [out * min(scale, len(base) / out) for scale in jitter.scale]
    starts, shifts = [], []
    for side, wanted in zip(sides, jitter.shift, strict=True):
        start = middle - side / 2
        shift = min(max(wanted, -start), last - (middle + side / 2))
        starts.append(start + shift)
        shifts.append(shift)
    image = _warp(base, (starts[0], starts[1]), (sides[0], sides[1]), out)
    if jitter.is_blurred:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)
    half = np.array(size) / 2
    corners = np.array([middle - half, middle + half]) - starts
    return JitteredCrop(image, (corners / jitter.scale).flatten(), (shifts[0], shifts[1]))


@dataclass(frozen=True)
class SiameseCutter:
    """Cuts pairs.

    Attributes:
        config: sizes and jitter.
        appearance: colors and sharpness.
    """

    config: SiameseCropConfig
    appearance: AppearanceConfig

    def __call__(self, frames: list[TrainFrame], rng: np.random.Generator) -> Sample:
        """Sample of a clip of two frames.

        Returns:
            template, search: S x S x 3 uint8, each of its size.
            box: x1, y1, x2, y2 of the target in the search crop, px, float32.
            displacement: (x, y) of the target from the middle of the search crop as the label of
                score maps has it, px, float32.

        Raises:
            FrameError: the target is hardly in the search crop.
        """
        config, context = self.config, self.config.context
        template = self._crop(frames[0], context.template_size, config.template, rng)[0]
        search, jitter = self._crop(frames[1], context.search_size, config.search, rng)
        inside = np.clip(search.box, 0, context.search_size)
        if (inside[2:] - inside[:2]).min() < _LEAST_VISIBLE:
            raise FrameError("the target is hardly in the crop")
        shift = search.shift if config.label_shift == "applied" else jitter.shift
        images = self.appearance.apply([template.image, search.image], rng)
        return {
            "template": images[0],
            "search": images[1],
            "box": search.box.astype(np.float32),
            "displacement": -np.array(shift, np.float32),
        }

    def _crop(
        self, frame: TrainFrame, out: int, config: JitterConfig, rng: np.random.Generator
    ) -> tuple[JitteredCrop, Jitter]:
        context, box = self.config.context, frame.box
        base = base_crop(frame.image, box, self.config.base_size, context)
        jitter = draw_jitter(config, rng.random)
        scale = context.template_size / context.side(box.w, box.h)
        return jitter_crop(base, (box.w * scale, box.h * scale), out, jitter), jitter


def _warp(
    image: Image,
    start: tuple[float, float],
    sides: tuple[float, float],
    out: int,
    border: tuple[float, ...] = (0.0, 0.0, 0.0),
) -> Image:
    """A part of an image, its edges on pixel 0 and `out` - 1."""
    scale = [(out - 1) / side for side in sides]
    matrix = np.array(
        [[scale[0], 0, -start[0] * scale[0]], [0, scale[1], -start[1] * scale[1]]], np.float64
    )
    warped = cv2.warpAffine(
        image, matrix, (out, out), borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )
    return np.asarray(warped, np.uint8)
