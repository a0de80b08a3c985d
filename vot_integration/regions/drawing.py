"""Drawing what a tracker answers, and what is true, into a frame."""

import colorsys
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Image, Mask
from vot_integration.regions.shapes import MaskCrop, Polygon, Shape, place_mask

Color = tuple[int, int, int]
"""RGB, 0..255."""

TRUTH: Color = (60, 220, 60)
ANSWER: Color = (255, 120, 0)

_OF_SEVERAL: tuple[Color, ...] = (
    ANSWER,
    (40, 140, 255),
    (240, 60, 200),
    (250, 220, 50),
    (0, 210, 210),
    (160, 100, 255),
    (255, 80, 80),
    (170, 210, 60),
)
_GOLDEN = 0.618
"""Steps of this share around the color circle are far from all before (golden ratio)."""

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


def answer_color(number: int) -> Color:
    """Color of the answers about one of several targets, counted from 0."""
    if number < len(_OF_SEVERAL):
        return _OF_SEVERAL[number]
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1, 0.8, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


class Label(NamedTuple):
    """A line of text at a box."""

    text: str
    box: Box
    color: Color


def write_labels(image: Image, labels: Sequence[Label]) -> None:
    """Write lines of text above boxes, in place; one that would cover another moves down."""
    height, width = image.shape[:2]
    scale = _text_scale(image)
    line, gap = round(22 * scale), round(6 * scale)
    taken: list[Box] = []
    for label in labels:
        if not label.box.is_valid:
            continue
        text_width = cv2.getTextSize(label.text, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, 1)[0][0]
        x = min(max(label.box.x, 0.0), max(width - text_width - gap, 0.0))
        # The first line of the picture is the caption's.
        y = min(max(label.box.y - gap - line, 2.0 * line), float(height - line - gap))
        place = Box(x, y, text_width, line)
        while any(_meet(place, other) for other in taken) and place.y < height - line:
            place = place._replace(y=place.y + line)
        taken.append(place)
        _write(image, label.text, (round(place.x), round(place.y + line)), label.color)


def _meet(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) < (a.w if a.x < b.x else b.w) and abs(a.y - b.y) < min(a.h, b.h)


def write_caption(image: Image, text: str) -> None:
    """Write a line of text into the upper left corner, in place."""
    scale = _text_scale(image)
    _write(image, text, (round(10 * scale), round(26 * scale)), (255, 255, 255))


def _text_scale(image: Image) -> float:
    return max(image.shape[1] / 900, 0.4)


def _write(image: Image, text: str, place: tuple[int, int], inner: Color) -> None:
    """Write text with a black edge: the same in black around it, for bolder letters are wider."""
    scale = _text_scale(image)
    edge = max(1, round(scale))
    around = [(x, y) for x in (-edge, 0, edge) for y in (-edge, 0, edge) if x or y]
    for (x, y), color in [*((step, (0, 0, 0)) for step in around), ((0, 0), inner)]:
        cv2.putText(
            image,
            text,
            (place[0] + x, place[1] + y),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.8 * scale,
            color,
            edge,
            cv2.LINE_AA,
        )


def _width(image: Image) -> int:
    return max(1, round(max(image.shape[:2]) / 480))
