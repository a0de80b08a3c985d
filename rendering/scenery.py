"""Scenery in front of the target: a tree, fence posts, water weed."""

from functools import partial

import numpy as np

from rendering.arrays import floats, smoothstep
from rendering.painting import (
    Canvas,
    box,
    capsule,
    dome,
    palette,
)
from rendering.sprites import Jointed, Part, Sprite, Wave


def _still(sprite: Sprite, half_size: tuple[float, float]) -> Jointed:
    """One sprite without movement of its own."""
    return Jointed(half_size, partial(_still_parts, (Part(sprite),)))


def _still_parts(parts: tuple[Part, ...], phase: float) -> tuple[Part, ...]:
    return parts


def tree_trunk(seed: int, half_width: float) -> Jointed:
    """A bark-covered trunk, `half_width` wide and 2.2 high to each side of its origin."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(half_width * 1.3, 2.2, 90)
    x, y = canvas.x, canvas.y
    knots = canvas.noise((0.5, 0.14), rng, octaves=5)
    bark = palette(
        canvas.noise((0.45, 0.06), rng, octaves=5) * 1.3 - 0.15,
        (34, 26, 20),
        (92, 74, 58),
        (150, 132, 110),
    )
    edge = np.abs(x) - half_width * (0.86 + 0.22 * knots)
    canvas.paint(np.maximum(edge, np.abs(y) - 2.15), bark)
    moss = smoothstep(0.55, 0.75, canvas.noise((0.6, 0.3), rng)) * smoothstep(
        0.0, -0.02, np.maximum(edge, np.abs(y) - 2.15)
    )
    canvas.glaze(moss * np.float32(0.6), floats(74, 92, 44))
    canvas.shade(0.42 + 0.66 * dome(x, 0 * y, (-0.15 * half_width, 0.0), (1.3 * half_width, 1.0)))
    return _still(canvas.sprite(), (1.3 * half_width, 2.2))


def fence_post(seed: int) -> Jointed:
    """A squared wooden post, 0.2 wide and 1.2 high to each side of its origin."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(0.4, 1.3, 100)
    x, y = canvas.x, canvas.y
    grain = canvas.noise((0.6, 0.03), rng)
    canvas.paint(box(x, y, (0.0, 0.0), (0.15, 1.2)), palette(grain, (84, 72, 58), (176, 160, 136)))
    canvas.paint(box(x, y, (0.1, 0.0), (0.06, 1.2)), palette(grain, (50, 42, 34), (104, 92, 76)))
    return _still(canvas.sprite(), (0.2, 1.25))


def water_weed(seed: int) -> Jointed:
    """A bunch of long leaves that sways, rooted at (0, 1.5)."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(1.8, 0.9, 80)
    x, y = canvas.x, canvas.y
    ribs = canvas.noise((0.04, 0.4), rng)
    for k in range(7):
        tip, tone, root = rng.random(3).tolist()
        color = palette(ribs, (16, 40, 22), (58 + int(40 * tone), 104, 40))
        end = (0.4 + 1.2 * tip, -0.62 + 0.2 * k)
        start = (-1.6, 0.3 * (root - 0.5))
        middle = (-0.4, 0.5 * end[1] + 0.5 * start[1] + 0.1 * (tone - 0.5))
        blade = np.minimum(
            capsule(x, y, start, middle, (0.07, 0.11)), capsule(x, y, middle, end, (0.11, 0.02))
        )
        canvas.paint(blade, color * np.float32(0.75 + 0.5 * tone))
    wave = Wave(0.22, 0.25, -1.6, 1.6)
    sprite = canvas.sprite()
    return Jointed((1.2, 1.9), partial(_weed_parts, sprite, wave))


def _weed_parts(sprite: Sprite, wave: Wave, phase: float) -> tuple[Part, ...]:
    return (Part(sprite, angle=-0.25, wave=wave),)
