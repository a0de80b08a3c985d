"""Frames of one target for DiMP training: from video, or made from a still image with a mask."""

from dataclasses import dataclass

import cv2
import numpy as np

from alpharefine.geometry.boxes import Box, mask_to_box
from alpharefine.trackers.base import Image, Mask
from alpharefine.training.data.files import FrameError
from alpharefine.training.data.source import TrainFrame

_MIN_VISIBLE = 0.6
_OBJECT_SIDE = 160


@dataclass(frozen=True)
class Cutout:
    """An object without its background: image and mask of its tight box, h x w."""

    image: Image
    mask: Mask


def cut_out(frame: TrainFrame, longest: int = _OBJECT_SIDE) -> Cutout:
    """The object of a frame with a mask, at most `longest` px wide or high.

    Raises:
        FrameError: the frame has no mask or an empty one.
    """
    box = None if frame.mask is None else mask_to_box(frame.mask)
    if box is None or frame.mask is None:
        raise FrameError("no mask to cut out")
    x, y, w, h = (int(v) for v in box)
    image, mask = frame.image[y : y + h, x : x + w], frame.mask[y : y + h, x : x + w]
    scale = min(1.0, longest / max(w, h))
    size = (max(round(w * scale), 8), max(round(h * scale), 8))
    return Cutout(
        np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8),
    )


def bend(cutout: Cutout, rng: np.random.Generator, strength: float) -> Cutout:
    """Rotate, stretch and shear an object about its centre; the canvas grows as needed."""
    h, w = cutout.mask.shape
    angle = np.deg2rad(rng.normal(0, 12 * strength))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.normal(0, 0.1 * strength)], [0, 1]])
    linear = turn @ shear @ np.diag(np.exp(rng.normal(0, 0.1 * strength, 2)))
    corners = linear @ np.array([[-w, w, w, -w], [-h, -h, h, h]]) / 2
    size = np.ceil(corners.max(1) * 2).astype(int) + 2
    offset = size / 2 - linear @ (np.array([w, h]) / 2)
    matrix = np.column_stack([linear, offset])
    size_wh = (int(size[0]), int(size[1]))
    return Cutout(
        np.asarray(cv2.warpAffine(cutout.image, matrix, size_wh), np.uint8),
        np.asarray(cv2.warpAffine(cutout.mask, matrix, size_wh, flags=cv2.INTER_NEAREST), np.uint8),
    )


def paste(canvas: Image, cutout: Cutout, x: int, y: int) -> Mask:
    """Blend an object into `canvas` (in place) with its top-left corner at (x, y).

    Returns:
        Its visible part, H x W in {0, 1}.
    """
    height, width = canvas.shape[:2]
    h, w = cutout.mask.shape
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
    mask = np.zeros((height, width), np.uint8)
    if x2 <= x1 or y2 <= y1:
        return mask
    part = (slice(y1 - y, y2 - y), slice(x1 - x, x2 - x))
    place = (slice(y1, y2), slice(x1, x2))
    alpha = cv2.blur(cutout.mask.astype(np.float32), (3, 3))[part][..., None]
    below = canvas[place].astype(np.float32)
    canvas[place] = (below + (cutout.image[part].astype(np.float32) - below) * alpha).astype(
        np.uint8
    )
    mask[place] = cutout.mask[part]
    return mask


@dataclass(frozen=True)
class PastedScene:
    """A target and its distractors that move over a background image.

    Attributes:
        background: H x W x 3.
        target: the object to follow.
        distractors: other objects.
    """

    background: Image
    target: Cutout
    distractors: tuple[Cutout, ...]

    def frame(self, rng: np.random.Generator, strength: float) -> TrainFrame:
        """One random arrangement; `strength` scales the target's deformation.

        Raises:
            FrameError: too little of the target is visible.
        """
        canvas = self._shifted_background(rng)
        height, width = canvas.shape[:2]
        target = bend(self.target, rng, strength)
        th, tw = target.mask.shape
        x, y = int(rng.integers(0, max(width - tw, 1))), int(rng.integers(0, max(height - th, 1)))
        mask = paste(canvas, target, x, y)
        whole = int(mask.sum())
        for distractor in self.distractors:
            other = bend(distractor, rng, strength)
            oh, ow = other.mask.shape
            angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 2.0) * max(tw, th)
            ox = int(x + tw / 2 + np.cos(angle) * reach - ow / 2)
            oy = int(y + th / 2 + np.sin(angle) * reach - oh / 2)
            mask &= 1 - paste(canvas, other, ox, oy)
        box = mask_to_box(mask)
        if box is None or mask.sum() < _MIN_VISIBLE * whole:
            raise FrameError("the target is hidden")
        return TrainFrame(canvas, box, mask)

    def _shifted_background(self, rng: np.random.Generator) -> Image:
        height, width = self.background.shape[:2]
        h, w = int(height * 0.8), int(width * 0.8)
        top, left = int(rng.integers(height - h)), int(rng.integers(width - w))
        return np.ascontiguousarray(self.background[top : top + h, left : left + w])


def warped_still(frame: TrainFrame, rng: np.random.Generator, strength: float) -> TrainFrame:
    """A still image seen from slightly elsewhere, its background moving with the target.

    Raises:
        FrameError: the frame has no mask, or nothing of the target is left.
    """
    if frame.mask is None:
        raise FrameError("no mask to warp")
    height, width = frame.image.shape[:2]
    center = (frame.box.x + frame.box.w / 2, frame.box.y + frame.box.h / 2)
    zoom = float(np.exp(rng.normal(0, 0.1 * strength)))
    matrix = cv2.getRotationMatrix2D(center, rng.normal(0, 8 * strength), zoom)
    size = (width, height)
    image = cv2.warpAffine(frame.image, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    mask = np.asarray(cv2.warpAffine(frame.mask, matrix, size, flags=cv2.INTER_NEAREST), np.uint8)
    box = mask_to_box(mask)
    if box is None:
        raise FrameError("the target left the image")
    return TrainFrame(np.asarray(image, np.uint8), Box(*box), mask)
