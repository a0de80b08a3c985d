"""Random motion of objects and frames: homographies, and frames moved by them."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Image, Mask

Matrix = NDArray[np.float64]
"""3 x 3 homography of pixel centers (x, y, 1)."""


@dataclass(frozen=True)
class MotionConfig:
    """How far an object may change between two frames; each value is drawn independently.

    Attributes:
        scale: smallest and largest change of size; the logarithm is uniform.
        aspect: sigma of the logarithm of the change of width / height.
        rotation: largest rotation to either side, degrees.
        perspective: largest relative change of scale from the center to the border.
        shift: sigma of the displacement, in object sizes.
    """

    scale: tuple[float, float] = (0.7, 1.4)
    aspect: float = 0.1
    rotation: float = 20.0
    perspective: float = 0.12
    shift: float = 0.4

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError("scale must be two positive numbers, the smaller one first")


STILL = MotionConfig(scale=(1.0, 1.0), aspect=0.0, rotation=0.0, perspective=0.0, shift=0.0)
"""No motion at all."""


def gentler(config: MotionConfig, share: float) -> MotionConfig:
    """A motion of `share` (0..1) the strength."""
    low, high = (v**share for v in config.scale)
    return MotionConfig(
        (low, high),
        config.aspect * share,
        config.rotation * share,
        config.perspective * share,
        config.shift * share,
    )


def translation(x: float, y: float) -> Matrix:
    """Displacement by (x, y) px."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def draw_motion(
    config: MotionConfig, extent: tuple[float, float], rng: np.random.Generator
) -> Matrix:
    """Random change of scale, aspect, direction and perspective about the origin.

    Args:
        config: ranges.
        extent: (width, height) in px of what is seen, to which the perspective refers.
        rng: source of randomness.
    """
    angle = math.radians(rng.uniform(-config.rotation, config.rotation))
    low, high = np.log(config.scale)
    scale, aspect = math.exp(rng.uniform(low, high)), math.exp(rng.normal(0, config.aspect) / 2)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ np.diag([scale * aspect, scale / aspect])
    slope = np.eye(3)
    slope[2, :2] = rng.uniform(-config.perspective, config.perspective, 2) * 2 / extent
    return np.asarray(matrix @ slope)


def move_frame(frame: TrainFrame, config: MotionConfig, rng: np.random.Generator) -> TrainFrame:
    """The whole frame seen from elsewhere; what comes into view is a reflection.

    Where the target is so near to the border that it would be reflected, too, and where there is no
    mask, so that a rotated box would enclose more than the target, the frame is resized only.

    Raises:
        FrameError: most of the target would leave the frame.
    """
    height, width = frame.image.shape[:2]
    about = draw_motion(config, (2 * width, 2 * height), rng)
    dx, dy = rng.normal(0, 1, 2) * config.shift
    if frame.mask is None or _near_border(frame.box, height, width):
        scale_x, scale_y = np.linalg.norm(about[:2, :2], axis=0)
        return _resized(frame, float(scale_x), float(scale_y))
    box = frame.box
    x, y = box.x + (box.w - 1) / 2, box.y + (box.h - 1) / 2
    reach = min(math.sqrt(box.w * box.h), 0.4 * min(height, width))
    matrix = translation(x + dx * reach, y + dy * reach) @ about @ translation(-x, -y)
    image = warp(frame.image, matrix, width, height, cv2.BORDER_REFLECT_101)
    mask = warp_mask(frame.mask, matrix, width, height)
    return frame_of_mask(image, mask, 0.5 * area_change(about) * np.count_nonzero(frame.mask))


def frame_of_mask(image: Image, mask: Mask, least_area: float) -> TrainFrame:
    """A frame whose box is tight around its mask.

    Raises:
        FrameError: the mask has fewer than `least_area` pixels, or hardly any.
    """
    box = mask_to_box(mask)
    if box is None or np.count_nonzero(mask) < max(least_area, 16.0):
        raise FrameError("too little of the target is in view")
    return TrainFrame(image, box, mask)


def _resized(frame: TrainFrame, scale_x: float, scale_y: float) -> TrainFrame:
    height, width = frame.image.shape[:2]
    shape = max(round(width * scale_x), 1), max(round(height * scale_y), 1)
    scale_x, scale_y = shape[0] / width, shape[1] / height
    image = np.asarray(cv2.resize(frame.image, shape, interpolation=cv2.INTER_LINEAR), np.uint8)
    if frame.mask is None:
        x, y, w, h = frame.box
        return TrainFrame(image, Box(x * scale_x, y * scale_y, w * scale_x, h * scale_y), None)
    gray = cv2.resize(frame.mask * np.uint8(255), shape, interpolation=cv2.INTER_LINEAR)
    return frame_of_mask(image, (gray >= 128).astype(np.uint8), 0)


def warp(image: Image, matrix: Matrix, width: int, height: int, border: int) -> Image:
    """Warp an image (H x W x 3 or H x W, uint8) bilinearly to height x width."""
    moved = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border
    )
    return np.asarray(moved, dtype=np.uint8)


def warp_mask(mask: Mask, matrix: Matrix, width: int, height: int) -> Mask:
    """Warp a mask {0, 1}: pixels that are covered by half or more."""
    gray = warp(mask * np.uint8(255), matrix, width, height, cv2.BORDER_CONSTANT)
    return (gray >= 128).astype(np.uint8)


def area_change(matrix: Matrix) -> float:
    """Factor by which areas at the origin change."""
    return float(abs(np.linalg.det(matrix[:2, :2])))


def flip_frame(frame: TrainFrame) -> TrainFrame:
    """Mirror a frame horizontally."""
    box, width = frame.box, frame.image.shape[1]
    mask = None if frame.mask is None else np.ascontiguousarray(frame.mask[:, ::-1])
    mirrored = Box(width - box.x - box.w, box.y, box.w, box.h)
    return TrainFrame(np.ascontiguousarray(frame.image[:, ::-1]), mirrored, mask)


def _near_border(box: Box, height: int, width: int) -> bool:
    """Whether a reflection at the border would show the target close to itself."""
    gap = min(box.x, box.y, width - box.x - box.w, height - box.y - box.h)
    return gap < max(2.0, 0.15 * max(box.w, box.h))
