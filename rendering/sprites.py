"""Things that move in front of a backdrop: painted parts, warped, jointed and posed.

A sprite is painted once, in local units; every frame looks it up through the inverse of its pose.
Colors are premultiplied with coverage, so that edges stay clean under interpolation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from rendering.arrays import Floats, cos_sin, sine

_LEVELS = 5


class Appearance(Protocol):
    """What an actor looks like, in local units with the origin at its center."""

    @property
    def half_size(self) -> tuple[float, float]:
        """Half width and height of a box around the origin that holds it in every phase."""
        ...

    def draw(self, x: Floats, y: Floats, phase: float, pixels_per_unit: float) -> Floats:
        """Look at local points.

        Args:
            x: local coordinates, H x W.
            y: local coordinates, H x W.
            phase: position in the cycle of movement, turns.
            pixels_per_unit: image pixels per local unit, which chooses the level of detail.

        Returns:
            H x W x 4: premultiplied red, green, blue 0..255 and coverage 0..1.
        """
        ...


@dataclass(frozen=True)
class Sprite:
    """A painting over the rectangle of half sides (half_width, half_height) around the origin.

    Attributes:
        pixels: H x W x 4, premultiplied red, green, blue 0..255 and coverage 0..1, with an empty
            border.
        texels: texels per local unit.
    """

    pixels: Floats
    texels: float

    @cached_property
    def _levels(self) -> list[Floats]:
        """The painting at 1, 1/2, 1/4, ... of its resolution (mean of 2 x 2 texels each time)."""
        levels = [self.pixels]
        for _ in range(_LEVELS - 1):
            fine = np.pad(levels[-1], [(0, s % 2) for s in levels[-1].shape[:2]] + [(0, 0)])
            rows = fine[0::2] + fine[1::2]
            levels.append((rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25))
        return levels

    def sample(self, x: Floats, y: Floats, pixels_per_unit: float) -> Floats:
        """Bilinear look-up at local points, H x W x 4; empty outside the painting."""
        level, step = 0, 1
        while level < _LEVELS - 1 and self.texels > 2 * step * pixels_per_unit:
            level, step = level + 1, step * 2
        texels = self._levels[level]
        height, width = self.pixels.shape[:2]
        return _bilinear(
            texels,
            (x * np.float32(self.texels) + np.float32(width / 2)) / np.float32(step),
            (y * np.float32(self.texels) + np.float32(height / 2)) / np.float32(step),
        )


def _bilinear(texels: Floats, column: Floats, row: Floats) -> Floats:
    """Bilinear look-up; texel (i, j) covers [j, j + 1) x [i, i + 1), the border is repeated."""
    height, width = texels.shape[:2]
    column = np.clip(column - np.float32(0.5), 0, np.float32(width - 1.001))
    row = np.clip(row - np.float32(0.5), 0, np.float32(height - 1.001))
    left, top = np.floor(column), np.floor(row)
    share_x = (column - left)[..., None]
    share_y = (row - top)[..., None]
    flat = texels.reshape(-1, texels.shape[2])
    index = top.astype(np.int64) * width + left.astype(np.int64)
    upper, lower = flat.take(index, axis=0), flat.take(index + width, axis=0)
    index += 1
    upper += (flat.take(index, axis=0) - upper) * share_x
    lower += (flat.take(index + width, axis=0) - lower) * share_x
    result: Floats = upper + (lower - upper) * share_y
    return result


@dataclass(frozen=True)
class Wave:
    """A traveling bend: y moves by `amplitude` * sin(`waves` * x - phase), grown along x.

    Attributes:
        amplitude: largest displacement, local units.
        waves: periods per local unit.
        still_end: x that does not move; the displacement grows linearly away from it ...
        moving_end: ... to its full size at this x and beyond.
    """

    amplitude: float
    waves: float
    still_end: float
    moving_end: float

    def offset(self, x: Floats, phase: float) -> Floats:
        """Displacement of y at every x, local units."""
        span = np.float32(self.moving_end - self.still_end)
        growth = np.clip((x - np.float32(self.still_end)) / span, 0, 1)
        angle = x * np.float32(self.waves) - np.float32(round(phase, 6))
        return growth * np.float32(self.amplitude) * sine(angle)


@dataclass(frozen=True)
class Part:
    """A sprite placed in its owner's local units.

    Attributes:
        sprite: the painting.
        x: of the sprite's origin.
        y: of the sprite's origin.
        angle: turns, x axis toward y axis.
        stretch: factors of the sprite's own x and y axes; negative mirrors.
        wave: bend in the sprite's own units, or None.
    """

    sprite: Sprite
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    stretch: tuple[float, float] = (1.0, 1.0)
    wave: Wave | None = None

    def draw(self, x: Floats, y: Floats, phase: float, pixels_per_unit: float) -> Floats:
        """As `Appearance.draw`, in the owner's units."""
        own_x, own_y = to_local(x, y, self.x, self.y, self.angle, self.stretch)
        if self.wave is not None:
            own_y = own_y - self.wave.offset(own_x, phase)
        detail = pixels_per_unit * max(abs(self.stretch[0]), abs(self.stretch[1]))
        return self.sprite.sample(own_x, own_y, detail)


@dataclass(frozen=True)
class Jointed:
    """Parts, back to front, placed anew at every phase of the movement."""

    half_size: tuple[float, float]
    parts: Callable[[float], tuple[Part, ...]]

    def draw(self, x: Floats, y: Floats, phase: float, pixels_per_unit: float) -> Floats:
        """As `Appearance.draw`."""
        back, *others = self.parts(phase)
        picture = back.draw(x, y, phase, pixels_per_unit)
        for part in others:
            front = part.draw(x, y, phase, pixels_per_unit)
            picture *= 1 - front[..., 3:]
            picture += front
        return picture


def to_local(
    x: Floats,
    y: Floats,
    origin_x: float,
    origin_y: float,
    angle: float,
    stretch: tuple[float, float],
) -> tuple[Floats, Floats]:
    """Inverse of: stretch the axes, turn by `angle` turns, move to the origin given.

    The pose is rounded to 2^-16 first, so that differences in its last bit cannot reach a pixel.
    """
    cosine, sine_ = cos_sin(angle)
    dx = x - np.float32(round(origin_x * 65536) / 65536)
    dy = y - np.float32(round(origin_y * 65536) / 65536)
    stretch_x, stretch_y = (np.float32(round(s * 65536) / 65536) for s in stretch)
    return (
        (dx * np.float32(cosine) + dy * np.float32(sine_)) / stretch_x,
        (dy * np.float32(cosine) - dx * np.float32(sine_)) / stretch_y,
    )


def swing(phase: float, shift: float = 0.0) -> float:
    """Sine of a phase in turns: the to and fro of a limb, -1..1."""
    return cos_sin(phase + shift)[1]
