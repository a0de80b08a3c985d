"""Drawing what a tracker answers, and what is true, into a frame."""

import cv2
import numpy as np

from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Image, Mask
from vot_integration.regions.shapes import MaskCrop, Polygon, Shape, place_mask

Color = tuple[int, int, int]
"""RGB, 0..255."""

TRUTH: Color = (60, 220, 60)
ANSWER: Color = (255, 120, 0)

_OPACITY = 0.45


def draw_shape(image: Image, shape: Shape, color: Color, box: Box | None = None) -> None:
    """Draw a tracker's answer, in place: a mask with its box, a polygon, or a rectangle.

    Args:
        image: H x W x 3 uint8 RGB.
        shape: the answer; nothing is drawn where the target is absent.
        color: of all that is drawn.
        box: to draw with a mask; None for the box around its pixels.
    """
    if isinstance(shape, MaskCrop):
        mask = place_mask(shape, *image.shape[:2])
        around = mask_to_box(mask)
        if around is not None:
            draw_mask(image, mask, color)
            draw_box(image, box or around, color)
    elif isinstance(shape, Box):
        draw_box(image, shape, color)
    else:
        draw_polygon(image, shape, color)


def draw_mask(image: Image, mask: Mask, color: Color) -> None:
    """Tint the pixels of a mask and draw its contour, in place.

    Args:
        image: H x W x 3 uint8 RGB.
        mask: H x W uint8 {0, 1}.
        color: of tint and contour.
    """
    inside = mask.astype(bool)
    tint = np.asarray(color, np.float32)
    image[inside] = ((1 - _OPACITY) * image[inside] + _OPACITY * tint).astype(np.uint8)
    draw_contour(image, mask, color)


def draw_contour(image: Image, mask: Mask, color: Color) -> None:
    """Draw the outline of a mask, in place."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, contours, -1, color, _width(image), cv2.LINE_AA)


def draw_box(image: Image, box: Box, color: Color) -> None:
    """Draw a box, in place; nothing where it is not finite."""
    if box.is_valid:
        corners = (
            (box.x, box.y),
            (box.x + box.w, box.y),
            (box.x + box.w, box.y + box.h),
            (box.x, box.y + box.h),
        )
        draw_polygon(image, np.array(corners), color)


def draw_polygon(image: Image, corners: Polygon, color: Color) -> None:
    """Draw a polygon of N x 2 corners (x, y), in place."""
    # Coordinates far outside would overflow OpenCV's fixed-point numbers.
    limited = np.clip(corners, -10_000, 10_000).round().astype(np.int32)
    cv2.polylines(image, [limited], True, color, _width(image), cv2.LINE_AA)


def write_caption(image: Image, text: str) -> None:
    """Write a line of text into the upper left corner, in place."""
    scale = max(image.shape[1] / 900, 0.4)
    place = (round(10 * scale), round(26 * scale))
    for color, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(
            image,
            text,
            place,
            cv2.FONT_HERSHEY_SIMPLEX,
            0.8 * scale,
            color,
            round(width * max(scale, 1)),
            cv2.LINE_AA,
        )


def _width(image: Image) -> int:
    return max(1, round(max(image.shape[:2]) / 480))
