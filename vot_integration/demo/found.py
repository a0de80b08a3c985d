"""What is kept of a tracker's answer for a frame: little, whatever the size of the frame."""

import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from alpharefine.types import Box
from vot_integration.regions.shapes import MaskCrop, Polygon, Shape
from vot_integration.track.follower import Answer


@dataclass(frozen=True)
class PackedMask:
    """The pixels of a mask as compressed bits."""

    bits: bytes
    size: tuple[int, int]
    x: int
    y: int


def pack_mask(crop: MaskCrop) -> PackedMask:
    """Compress a mask."""
    height, width = crop.pixels.shape
    return PackedMask(
        zlib.compress(np.packbits(crop.pixels > 0).tobytes(), 1), (height, width), crop.x, crop.y
    )


def unpack_mask(packed: PackedMask) -> MaskCrop:
    """The mask again."""
    height, width = packed.size
    bits = np.frombuffer(zlib.decompress(packed.bits), np.uint8)
    pixels = np.unpackbits(bits, count=height * width).reshape(height, width)
    return MaskCrop(pixels, packed.x, packed.y)


@dataclass(frozen=True)
class Found:
    """An answer as it is kept.

    Attributes:
        shape: of the answer, its mask packed.
        box: of the answer.
        confidence: of the answer.
        lost: of the answer.
    """

    shape: PackedMask | Polygon | Box | None
    box: Box
    confidence: float | None
    lost: bool

    @classmethod
    def of(cls, answer: Answer) -> "Found":
        """Keep an answer."""
        shape = pack_mask(answer.shape) if isinstance(answer.shape, MaskCrop) else answer.shape
        return cls(shape, answer.box, answer.confidence, answer.lost)

    def answer(self) -> Answer:
        """The answer again."""
        shape = unpack_mask(self.shape) if isinstance(self.shape, PackedMask) else self.shape
        return Answer(shape, self.box, self.confidence, self.lost)

    def view(self) -> dict[str, Any]:
        """What the page draws: box, confidence, and outlines in image px."""
        return {
            "box": [round(value, 2) for value in self.box],
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "lost": self.lost,
            "outlines": outlines(self.answer().shape),
        }


def outlines(shape: Shape | None) -> list[list[float]]:
    """Closed lines [x, y, x, y, ...] around a mask and its holes, or those of a polygon, image px.

    A box has none: it is drawn as such.
    """
    if isinstance(shape, MaskCrop):
        # A pixel's index is its upper left corner where the page draws.
        lines, _ = cv2.findContours(
            np.ascontiguousarray(shape.pixels),
            cv2.RETR_CCOMP,
            cv2.CHAIN_APPROX_TC89_L1,
            offset=(shape.x, shape.y),
        )
        return [(line.reshape(-1) + 0.5).tolist() for line in lines if len(line) > 2]
    if shape is None or isinstance(shape, Box):
        return []
    return [[round(value + 0.5, 1) for value in shape.reshape(-1).tolist()]]
