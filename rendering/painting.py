"""Painting by signed distance: shapes with soft edges, laid over each other on a canvas."""

from dataclasses import dataclass

import numpy as np

from rendering.arrays import Floats, cos_sin
from rendering.noise import fractal_noise
from rendering.sprites import Sprite

Color = tuple[int, int, int]
"""Red, green, blue, 0..255."""

_BORDER = 16
"""Empty texels around a sprite, enough for its coarsest level of detail."""


class Canvas:
    """A transparent rectangle to paint a sprite on, in local units around the origin.

    Attributes:
        x: 1 x W, local coordinate of each column.
        y: H x 1, local coordinate of each row.
        texels: texels per local unit.
    """

    def __init__(self, half_width: float, half_height: float, texels: float) -> None:
        width = 2 * (int(half_width * texels) + _BORDER)
        height = 2 * (int(half_height * texels) + _BORDER)
        self.texels = texels
        self.x: Floats = ((np.arange(width) + 0.5 - width / 2) / texels).astype(np.float32)[None]
        self.y: Floats = ((np.arange(height) + 0.5 - height / 2) / texels).astype(np.float32)[
            :, None
        ]
        self._pixels = np.zeros((height, width, 4), dtype=np.float32)

    def noise(
        self, cell: tuple[float, float], rng: np.random.Generator, octaves: int = 4
    ) -> Floats:
        """Fractal noise over the canvas, H x W, 0..1; `cell` in local units."""
        height, width = self._pixels.shape[:2]
        spacing = (cell[0] * self.texels, cell[1] * self.texels)
        return fractal_noise(height, width, spacing, rng, octaves=octaves)

    def paint(self, distance: Floats, color: Floats, opacity: float = 1.0) -> None:
        """Lay a shape over what is there.

        Args:
            distance: signed distance to the shape's edge, local units, negative inside; broadcasts
                to H x W.
            color: 3 values, or H x W x 3; 0..255.
            opacity: of the whole shape.
        """
        cover = np.clip(np.float32(0.5) - distance * np.float32(self.texels), 0, 1)
        self.glaze(cover * np.float32(opacity), color)

    def glaze(self, cover: Floats, color: Floats) -> None:
        """Lay a color over what is there with a coverage of 0..1 per texel (H x W)."""
        cover = np.broadcast_to(cover, self._pixels.shape[:2])[..., None]
        self._pixels *= 1 - cover
        self._pixels[..., :3] += np.clip(color, 0, 255) * cover
        self._pixels[..., 3:] += cover

    def shade(self, factor: Floats) -> None:
        """Multiply the colors by a factor per texel (H x W), keeping the coverage."""
        colors = self._pixels[..., :3] * np.broadcast_to(factor, self._pixels.shape[:2])[..., None]
        self._pixels[..., :3] = np.minimum(colors, 255 * self._pixels[..., 3:])

    def sprite(self) -> Sprite:
        """The painting so far."""
        pixels = self._pixels.copy()
        edge = np.ones(pixels.shape[:2], dtype=bool)
        edge[_BORDER // 2 : -_BORDER // 2, _BORDER // 2 : -_BORDER // 2] = False
        pixels[edge] = 0
        return Sprite(pixels, self.texels)


def ellipse(
    x: Floats, y: Floats, center: tuple[float, float], half_axes: tuple[float, float]
) -> Floats:
    """Signed distance to an axis-aligned ellipse, first order: exact at the edge's own scale."""
    u = (x - np.float32(center[0])) / np.float32(half_axes[0])
    v = (y - np.float32(center[1])) / np.float32(half_axes[1])
    radius = np.sqrt(u * u + v * v)
    slope = np.sqrt(u * u / np.float32(half_axes[0] ** 2) + v * v / np.float32(half_axes[1] ** 2))
    distance: Floats = radius * (radius - 1) / np.maximum(slope, np.float32(1e-6))
    return distance


def capsule(
    x: Floats,
    y: Floats,
    start: tuple[float, float],
    end: tuple[float, float],
    radii: tuple[float, float],
) -> Floats:
    """Signed distance to a thick line whose radius goes from `radii[0]` to `radii[1]`."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((x - np.float32(start[0])) * np.float32(dx) + (y - np.float32(start[1])) * dy) / (
        np.float32(dx * dx + dy * dy)
    )
    along = np.clip(along, 0, 1).astype(np.float32)
    away_x = x - np.float32(start[0]) - along * np.float32(dx)
    away_y = y - np.float32(start[1]) - along * np.float32(dy)
    radius = np.float32(radii[0]) + along * np.float32(radii[1] - radii[0])
    distance: Floats = np.sqrt(away_x * away_x + away_y * away_y) - radius
    return distance


def polygon(x: Floats, y: Floats, corners: list[tuple[float, float]]) -> Floats:
    """Signed distance to a polygon, negative inside (even-odd rule)."""
    shape = np.broadcast_shapes(x.shape, y.shape)
    nearest = np.full(shape, 1e9, dtype=np.float32)
    inside = np.zeros(shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        nearest = np.minimum(nearest, capsule(x, y, (x0, y0), (x1, y1), (0.0, 0.0)))
        if y0 == y1:
            continue
        crossing = np.float32(x0) + (y - np.float32(y0)) * np.float32((x1 - x0) / (y1 - y0))
        inside ^= ((y > np.float32(y0)) != (y > np.float32(y1))) & (x < crossing)
    return np.where(inside, -nearest, nearest)


def box(
    x: Floats, y: Floats, center: tuple[float, float], half_sides: tuple[float, float]
) -> Floats:
    """Signed distance to an axis-aligned rectangle (the larger of the two axes' distances)."""
    return np.maximum(
        np.abs(x - np.float32(center[0])) - np.float32(half_sides[0]),
        np.abs(y - np.float32(center[1])) - np.float32(half_sides[1]),
    )


def dome(
    x: Floats, y: Floats, center: tuple[float, float], half_axes: tuple[float, float]
) -> Floats:
    """Height of a half ellipsoid, 1 at its center and 0 outside: shades round things."""
    u = (x - np.float32(center[0])) / np.float32(half_axes[0])
    v = (y - np.float32(center[1])) / np.float32(half_axes[1])
    height: Floats = np.sqrt(np.maximum(np.float32(0), 1 - u * u - v * v))
    return height


def darker(color: Color, factor: float) -> Color:
    """A color times a factor, rounded down."""
    red, green, blue = (int(value * factor) for value in color)
    return red, green, blue


def palette(value: Floats, *colors: Color) -> Floats:
    """Color of each value of 0..1 on a ramp of evenly spaced colors, H x W x 3, 0..255."""
    table = np.array(colors, dtype=np.float32)
    position = np.clip(value, 0, 1) * np.float32(len(colors) - 1)
    index = np.minimum(position.astype(np.int64), len(colors) - 2)
    share = (position - index)[..., None].astype(np.float32)
    ramp: Floats = table[index] + (table[index + 1] - table[index]) * share
    return ramp


@dataclass(frozen=True)
class Brush:
    """Paints turned shapes straight onto a backdrop picture (H x W x 3, changed in place)."""

    picture: Floats

    def window(
        self, center: tuple[float, float], reach: float, turns: float
    ) -> tuple[tuple[slice, slice], Floats, Floats] | None:
        """Slices of the square of half side `reach` and its turned coordinates; None if outside."""
        height, width = self.picture.shape[:2]
        x0, x1 = max(int(center[0] - reach), 0), min(int(center[0] + reach) + 1, width)
        y0, y1 = max(int(center[1] - reach), 0), min(int(center[1] + reach) + 1, height)
        if x0 >= x1 or y0 >= y1:
            return None
        cosine, sine = cos_sin(turns)
        dx = (np.arange(x0, x1, dtype=np.float32) - np.float32(center[0]))[None, :]
        dy = (np.arange(y0, y1, dtype=np.float32) - np.float32(center[1]))[:, None]
        along = dx * np.float32(cosine) + dy * np.float32(sine)
        across = dy * np.float32(cosine) - dx * np.float32(sine)
        return (slice(y0, y1), slice(x0, x1)), along, across

    def blend(self, where: tuple[slice, slice], cover: Floats, color: Floats) -> None:
        """Lay a color (3 values or h x w x 3) over the slices with coverage h x w."""
        under = self.picture[where]
        self.picture[where] = under + (color - under) * cover[..., None]
