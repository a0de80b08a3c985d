"""Training crops: the trackers' own crops, jittered, with targets in crop pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.geometry.base_crop import sample_patch
from alpharefine.geometry.refine_crop import (
    CropWindow,
    crop_window,
    cut_crop,
    reference_box,
    to_crop,
)
from alpharefine.trackers.online.state import box_in_sample, pair
from alpharefine.training.appearance import change_colors, estrange, lose_detail
from alpharefine.training.sensor import SensorConfig, record
from alpharefine.types import Box, Image, Mask

Sample = dict[str, NDArray[np.generic]]
"""Arrays of one training sample, by name."""

_ATTEMPTS = 10
_MIN_SIDE = 4.0


@dataclass(frozen=True)
class AppearanceConfig:
    """Changes of color and sharpness.

    Attributes:
        colors: strength of the color change that all crops of a sample share, 0 = none.
        flicker: strength of the color change from crop to crop.
        detail: whether crops may lose detail as small or blurred targets do.
        strange: share of Alpha-Refine's reference crops that look like another side of the target
            or another light; an addition to the paper, off by default.
        sensor: noise and compression.
    """

    colors: float = 0.8
    flicker: float = 0.5
    detail: bool = True
    strange: float = 0.0
    sensor: SensorConfig = field(default_factory=SensorConfig)

    def apply(self, crops: Sequence[Image], rng: np.random.Generator) -> list[Image]:
        """Changed copies of the S x S x 3 crops of one sample."""
        tone = int(rng.integers(2**32))
        changed = []
        for crop in crops:
            shared = change_colors(crop, np.random.default_rng(tone), self.colors)
            image = change_colors(shared, rng, self.flicker)
            if self.detail:
                image = lose_detail(image, rng)
            changed.append(record(image, self.sensor, rng))
        return changed


PLAIN = AppearanceConfig(colors=0.0, flicker=0.0, detail=False, sensor=SensorConfig(0.0, 0.0))
"""Crops as the trackers see them, for validation."""


@dataclass(frozen=True)
class RefineCropConfig:
    """Alpha-Refine's training crops.

    Attributes:
        size: side S, px; 256, or 384 for the mask-only recipe.
        factor: window sides over box sides.
        scale_jitter: sigma of the logarithm of the test window's sides, each on its own.
        center_jitter: O_max / sqrt(h w), h and w being the test window's sides.
        strong_share: share of samples whose jitter is `strong_factor` times as large.
        strong_factor: see there.

    Source: Alpha-Refine, section 3.4; the strong jitter is an addition, off by default.
    """

    size: int = 256
    factor: float = 2.0
    scale_jitter: float = 0.25
    center_jitter: float = 0.25
    strong_share: float = 0.0
    strong_factor: float = 1.6

    def __post_init__(self) -> None:
        if self.size < 16 or self.factor < 1:
            raise ValueError("size must be 16 or more and factor 1 or more")


@dataclass(frozen=True)
class DimpCropConfig:
    """DiMP's training crops.

    Attributes:
        size: side S, px.
        area_factor: side of the search area over the root of the (jittered) target's area.
        max_scale_change: how much an area may shrink to fit into the image ("inside_major"); None
            leaves it where it is.
        train_center_jitter: width of the uniform shift of training crops over the root of the
            jittered target's area.
        test_center_jitter: the same of test crops.
        train_scale_jitter: sigma of the logarithm of the jittered target's sides.
        test_scale_jitter: the same of test crops.

    Source: the published super_dimp settings.
    """

    size: int = 352
    area_factor: float = 6.0
    max_scale_change: float | None = 1.5
    train_center_jitter: float = 3.0
    test_center_jitter: float = 5.5
    train_scale_jitter: float = 0.25
    test_scale_jitter: float = 0.5


def refine_sample(
    frames: Sequence[TrainFrame],
    config: RefineCropConfig,
    appearance: AppearanceConfig,
    rng: np.random.Generator,
) -> Sample:
    """A pair for Alpha-Refine, cut as at inference.

    Args:
        frames: the reference and the test frame.
        config: geometry.
        appearance: color and sharpness changes.
        rng: source of randomness.

    Returns:
        reference, search: S x S x 3 uint8.
        reference_box: (x1, y1, x2, y2) in crop px, as the network pools it.
        corners: (x1, y1, x2, y2), edges of the target in the search crop, px, cut to 0..S.
        mask: 1 x S x S uint8 {0, 1}; all zero where there is none.
        has_mask: float32 1 or 0.

    Raises:
        FrameError: the target is hardly in the crop.
    """
    reference, test = frames
    first = crop_window(reference.box, config.size, config.factor)
    window = _search_window(test, config, rng)
    mask = np.zeros((config.size, config.size), np.uint8)
    if test.mask is not None:
        mask = _cut_mask(test.mask, window)
    crops = [cut_crop(reference.image, first), cut_crop(test.image, window)]
    crops = appearance.apply(crops, rng)
    if appearance.strange and rng.random() < appearance.strange:
        crops[0] = estrange(crops[0], rng)
    return {
        "reference": _blackened(crops[0], first, reference.image),
        "search": _blackened(crops[1], window, test.image),
        "reference_box": np.array(reference_box(first), np.float32),
        "corners": np.clip(to_crop(test.box, window), 0, config.size).astype(np.float32),
        "mask": mask[None],
        "has_mask": np.array(test.mask is not None, np.float32),
    }


def jittered_box(box: Box, scale_jitter: float, reach: float, rng: np.random.Generator) -> Box:
    """A box with sides times exp(scale_jitter N) and a center shifted by (U - 0.5) reach sqrt(w h).

    w and h are the jittered sides; N is cut to [-2, 2].
    """
    noise = np.clip(rng.normal(0, 1, 2), -2, 2)
    w, h = (float(v) for v in np.array([box.w, box.h]) * np.exp(scale_jitter * noise))
    dx, dy = (float(v) for v in (rng.random(2) - 0.5) * reach * math.sqrt(w * h))
    return Box(box.x + box.w / 2 + dx - w / 2, box.y + box.h / 2 + dy - h / 2, w, h)


def _search_window(
    frame: TrainFrame, config: RefineCropConfig, rng: np.random.Generator
) -> CropWindow:
    """A jittered window in which a good part of the target lies."""
    strength = config.strong_factor if rng.random() < config.strong_share else 1.0
    reach = config.factor * config.center_jitter * strength
    for _ in range(_ATTEMPTS):
        box = jittered_box(frame.box, config.scale_jitter * strength, reach, rng)
        window = crop_window(box, config.size, config.factor)
        x1, y1, x2, y2 = np.clip(to_crop(frame.box, window), 0, config.size)
        if min(x2 - x1, y2 - y1) >= 2 * _MIN_SIDE:
            return window
    raise FrameError("the target is hardly in the crop")


def _cut_mask(mask: Mask, window: CropWindow) -> Mask:
    """The mask in the crop: pixels of which half or more is covered."""
    gray = np.broadcast_to((mask * np.uint8(255))[..., None], (*mask.shape, 3))
    return (cut_crop(gray, window)[..., 0] >= 128).astype(np.uint8)


def _blackened(crop: Image, window: CropWindow, image: Image) -> Image:
    """The part outside the image black again, after colors have changed."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = to_crop(Box(0, 0, width, height), window)
    # Interpolation mixes the border with black up to half an image pixel outside it.
    mixed_x, mixed_y = (max(s, 1) / 2 for s in window.scale)
    left, top = max(math.floor(x1 - mixed_x), 0), max(math.floor(y1 - mixed_y), 0)
    right, bottom = max(math.ceil(x2 + mixed_x), left), max(math.ceil(y2 + mixed_y), top)
    inside = np.zeros_like(crop)
    inside[top:bottom, left:right] = crop[top:bottom, left:right]
    return inside


def dimp_sample(
    frames: Sequence[TrainFrame],
    train: int,
    config: DimpCropConfig,
    appearance: AppearanceConfig,
    rng: np.random.Generator,
) -> Sample:
    """Search crops for DiMP, cut as at inference.

    Args:
        frames: training frames, then test frames.
        train: number of training frames.
        config: geometry.
        appearance: color and sharpness changes.
        rng: source of randomness.

    Returns:
        images: N x S x S x 3 uint8.
        boxes: N x 4 float32, (x, y, w, h) in crop px in the tracker's convention.

    Raises:
        FrameError: a target is hardly in its crop.
    """
    crops, boxes = [], []
    for number, frame in enumerate(frames):
        is_train = number < train
        center = config.train_center_jitter if is_train else config.test_center_jitter
        scale = config.train_scale_jitter if is_train else config.test_scale_jitter
        crop, box = _dimp_crop(frame, config, center, scale, rng)
        crops.append(crop)
        boxes.append(box)
    return {"images": np.stack(appearance.apply(crops, rng)), "boxes": np.stack(boxes)}


def _dimp_crop(
    frame: TrainFrame,
    config: DimpCropConfig,
    center_jitter: float,
    scale_jitter: float,
    rng: np.random.Generator,
) -> tuple[Image, NDArray[np.float32]]:
    """A crop that has the target's center in it; not jittered when that does not come about."""
    for attempt in range(_ATTEMPTS):
        strength = 0.0 if attempt == _ATTEMPTS - 1 else 1.0
        area = jittered_box(frame.box, scale_jitter * strength, center_jitter * strength, rng)
        scale = config.area_factor * math.sqrt(area.w * area.h) / config.size
        patch = sample_patch(
            frame.image, _center(area), scale, config.size, config.max_scale_change
        )
        size = pair(frame.box.h, frame.box.w)
        box = box_in_sample(_center(frame.box), size, patch.center, patch.scale, config.size)
        middle = box[:2] + box[2:] / 2
        if middle.min() >= 0 and middle.max() <= config.size and box[2:].min() >= _MIN_SIDE:
            return np.clip(np.rint(patch.pixels), 0, 255).astype(np.uint8), box
    raise FrameError("the target is hardly in the crop")


def _center(box: Box) -> NDArray[np.float32]:
    """Center (y, x) of a box in the tracker's convention."""
    return pair(box.y + (box.h - 1) / 2, box.x + (box.w - 1) / 2)
