"""What Siamese trackers keep from frame to frame: position and size, and what is computed once."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from torch import Tensor

from alpharefine.runtime import Runtime
from alpharefine.types import Box

MIN_SIDE = 10.0
"""px, of the sides that a tracker gives a target."""


class Fallback(StrEnum):
    """What of a frame gave no usable numbers."""

    SCORES = "score maps that are not finite"
    CHANNELS = "channel selections that are not finite"


@dataclass(frozen=True)
class TargetState:
    """Center and size in image pixels.

    Attributes:
        x: of the center.
        y: of the center.
        w: width.
        h: height.
    """

    x: float
    y: float
    w: float
    h: float

    @classmethod
    def around(cls, box: Box, shift: float = 0.0) -> "TargetState":
        """The state of a box.

        Args:
            box: image px.
            shift: px by which the center lies left of and above the middle of the box.
        """
        return cls(box.x + box.w / 2 - shift, box.y + box.h / 2 - shift, box.w, box.h)

    @property
    def center(self) -> tuple[float, float]:
        """(x, y)."""
        return self.x, self.y

    @property
    def box(self) -> Box:
        """The box of this size around the center."""
        return Box(self.x - self.w / 2, self.y - self.h / 2, self.w, self.h)

    @property
    def box_from_inside(self) -> Box:
        """The same with its top left corner moved into the image, as SiamDW's trackers answer."""
        box = self.box
        return box._replace(x=max(box.x, 0.0), y=max(box.y, 0.0))

    def clipped(self, height: int, width: int) -> "TargetState":
        """The state with its center inside an image and sides from 10 px to the image's."""
        return TargetState(
            min(max(self.x, 0.0), float(width)),
            min(max(self.y, 0.0), float(height)),
            max(MIN_SIDE, min(self.w, float(width))),
            max(MIN_SIDE, min(self.h, float(height))),
        )


def moved(value: Any, runtime: Runtime) -> Any:
    """The same tensors, mappings and named tuples with all tensors on a runtime's device."""
    match value:
        case Tensor():
            return value.to(runtime.device, runtime.dtype)
        case Mapping():
            return {key: moved(part, runtime) for key, part in value.items()}
        case tuple():
            return type(value)(*(moved(part, runtime) for part in value))
        case _:
            raise TypeError(f"{type(value).__name__} cannot be moved")
