"""The animals: beetle, fish and bird."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from rendering.arrays import floats, smoothstep
from rendering.painting import (
    Canvas,
    Color,
    capsule,
    darker,
    dome,
    ellipse,
    palette,
    polygon,
)
from rendering.sprites import Jointed, Part, Sprite, Wave, swing


def beetle(seed: int) -> Jointed:
    """A striped beetle from above, heading right; six legs walk as two alternating tripods."""
    rng = np.random.default_rng(seed)
    tripods = [_beetle_legs(side) for side in (1.0, -1.0)]
    body = _beetle_body(rng)
    return Jointed((1.45, 1.3), partial(_beetle_parts, body, (tripods[0], tripods[1])))


def _beetle_parts(body: Sprite, tripods: tuple[Sprite, Sprite], phase: float) -> tuple[Part, ...]:
    reach = 0.05 * swing(phase)
    return (
        Part(tripods[0], x=reach, angle=0.6 * reach),
        Part(tripods[1], x=-reach, angle=0.6 * reach),
        Part(body, angle=0.01 * swing(phase, 0.25)),
    )


def _beetle_legs(side: float) -> Sprite:
    """Front and hind leg of one side and the middle leg of the other."""
    canvas = Canvas(1.4, 1.3, 90)
    for x, toward, forward in ((0.45, side, 0.3), (-0.45, side, -0.35), (0.05, -side, 0.0)):
        knee, foot = (x + forward, 0.78 * toward), (x + 1.5 * forward, 1.12 * toward)
        for start, end, radii in (
            ((x, 0.3 * toward), knee, (0.08, 0.07)),
            (knee, foot, (0.06, 0.04)),
        ):
            canvas.paint(capsule(canvas.x, canvas.y, start, end, radii), floats(34, 26, 24))
    return canvas.sprite()


def _beetle_body(rng: np.random.Generator) -> Sprite:
    canvas = Canvas(1.35, 0.85, 110)
    x, y = canvas.x, canvas.y
    for side in (-1.0, 1.0):
        canvas.paint(
            capsule(x, y, (0.95, 0.1 * side), (1.3, 0.4 * side), (0.04, 0.025)), floats(30, 24, 22)
        )
    grain = canvas.noise((0.12, 0.12), rng)
    dark = palette(grain, (18, 20, 26), (62, 58, 64))
    canvas.paint(ellipse(x, y, (0.95, 0.0), (0.22, 0.26)), dark)
    canvas.paint(ellipse(x, y, (0.7, 0.0), (0.3, 0.45)), dark * np.float32(1.25))
    wing_case = ellipse(x, y, (-0.2, 0.0), (0.9, 0.66))
    canvas.paint(wing_case, palette(grain, (148, 30, 16), (214, 70, 28), (232, 108, 44)))
    wavy = x + 0.25 * (canvas.noise((0.3, 0.3), rng) - 0.5)
    for at, half in ((-0.72, 0.09), (-0.3, 0.12), (0.2, 0.1)):
        stripe = np.abs(wavy - at) - half - 0.06 * np.abs(y)
        canvas.paint(np.maximum(stripe, wing_case + 0.03), floats(24, 20, 26))
    canvas.paint(np.maximum(np.abs(y + 0 * x) - 0.018, wing_case), floats(20, 14, 14))
    height = np.maximum(dome(x, y, (-0.2, 0.0), (0.92, 0.68)), dome(x, y, (0.8, 0.0), (0.42, 0.47)))
    canvas.shade(0.5 + 0.62 * height)
    for side in (-1.0, 1.0):
        glint = smoothstep(0.09, 0.0, np.abs(y - 0.3 * side)) * smoothstep(
            0.5, 0.1, np.abs(x + 0.2)
        )
        canvas.glaze(glint * np.float32(0.32), floats(255, 236, 214))
    return canvas.sprite()


@dataclass(frozen=True)
class Coat:
    """What tells one fish from another: back, flank, belly and stripe colors, stripe number."""

    back: Color
    flank: Color
    belly: Color
    stripe: Color
    stripes: float


def fish(seed: int, coat: Coat) -> Jointed:
    """A fish that swims to the right, bending from head to tail."""
    rng = np.random.default_rng(seed)
    return Jointed((1.6, 1.1), partial(_fish_parts, _fish_body(rng, coat)))


def _fish_parts(body: Sprite, phase: float) -> tuple[Part, ...]:
    return (Part(body, stretch=(-1.0, 1.0), wave=Wave(0.22, 0.42, -0.9, 1.3)),)


def _fish_body(rng: np.random.Generator, coat: Coat) -> Sprite:
    """Painted with the head at negative x, so that the bend grows along +x."""
    canvas = Canvas(1.6, 1.1, 90)
    x, y = canvas.x, canvas.y
    rays = canvas.noise((0.05, 0.5), rng, octaves=3)
    fin = palette(rays, darker(coat.flank, 0.5), coat.flank)
    tail = polygon(x, y, [(0.75, 0.0), (1.45, -0.58), (1.28, 0.0), (1.45, 0.58)])
    upper = polygon(x, y, [(-0.45, -0.3), (0.05, -0.78), (0.62, -0.5), (0.5, -0.2)])
    lower = polygon(x, y, [(-0.1, 0.3), (0.2, 0.72), (0.5, 0.2)])
    canvas.paint(np.minimum(np.minimum(tail, upper), lower), fin)
    hull = np.minimum(
        ellipse(x, y, (-0.2, 0.0), (0.95, 0.45)),
        capsule(x, y, (0.3, 0.0), (0.95, 0.0), (0.33, 0.1)),
    )
    mottle = canvas.noise((0.2, 0.3), rng)
    level = 0.5 + 0.95 * y + 0.3 * (mottle - 0.5)
    canvas.paint(hull, palette(level, coat.back, coat.flank, coat.flank, coat.belly))
    bend = x + 0.5 * y * y + 0.14 * (canvas.noise((0.3, 0.3), rng) - 0.5)
    band = np.abs((bend * np.float32(coat.stripes)) % 1.0 - 0.5) - 0.17
    canvas.paint(
        np.maximum(band / np.float32(coat.stripes), hull + 0.05), floats(*coat.stripe), 0.85
    )
    scale_x, scale_y = (x * 13 + np.floor(y * 13) * 0.5) % 1.0 - 0.5, (y * 13) % 1.0 - 0.5
    scales = np.sqrt(scale_x * scale_x + scale_y * scale_y)
    canvas.shade((0.8 + 0.35 * mottle) * (1.12 - 0.4 * scales) * (1.05 - 0.25 * np.abs(y)))
    canvas.paint(ellipse(x, y, (-0.85, -0.08), (0.12, 0.12)), floats(236, 226, 170))
    canvas.paint(ellipse(x, y, (-0.86, -0.08), (0.07, 0.07)), floats(12, 12, 16))
    gill = np.maximum(np.abs(ellipse(x, y, (-0.95, 0.0), (0.45, 0.5))) - 0.02, -0.6 - x)
    canvas.paint(np.maximum(gill, hull + 0.08), floats(30, 26, 30), 0.7)
    return canvas.sprite()


def bird(seed: int, mantle: Color, breast: Color) -> Jointed:
    """A long-winged bird seen from behind and above, flying to the right; the phase beats."""
    rng = np.random.default_rng(seed)
    wing, body = _bird_wing(rng, mantle, breast), _bird_body(rng, mantle, breast)
    return Jointed((1.4, 2.0), partial(_bird_parts, wing, body))


def _bird_parts(wing: Sprite, body: Sprite, phase: float) -> tuple[Part, ...]:
    beat = swing(phase)
    near, far = 0.62 + 0.38 * beat, 0.58 - 0.3 * beat
    sweep = 0.03 * swing(phase, 0.25)
    return (
        Part(wing, x=0.1, y=-0.08, angle=sweep, stretch=(1.0, -far)),
        Part(body, angle=-0.008 * beat),
        Part(wing, x=0.1, y=0.06, angle=-sweep, stretch=(1.0, near)),
    )


def _bird_wing(rng: np.random.Generator, mantle: Color, breast: Color) -> Sprite:
    """One wing, from its root at the origin along +y, leading edge toward +x."""
    canvas = Canvas(0.9, 1.9, 90)
    x, y = canvas.x, canvas.y
    outline = polygon(
        x,
        y,
        [
            (0.32, 0.0),
            (0.42, 0.7),
            (0.1, 1.3),
            (-0.5, 1.8),
            (-0.32, 1.1),
            (-0.42, 0.55),
            (-0.35, 0.0),
        ],
    )
    vanes = canvas.noise((0.5, 0.06), rng)
    canvas.paint(outline, palette(vanes, darker(mantle, 0.67), mantle))
    trailing = np.maximum(outline, x + 0.18 + 0.12 * (y - 0.6) * (y - 0.6))
    canvas.paint(trailing, floats(*breast), 0.85)
    canvas.paint(np.maximum(outline, 1.18 - y + 0.4 * x), floats(26, 24, 28))
    feathers = np.abs((y * 6 + x * 1.5) % 1.0 - 0.5)
    canvas.shade((0.8 + 0.35 * vanes) * (0.82 + 0.24 * smoothstep(0.0, 0.12, feathers)))
    return canvas.sprite()


def _bird_body(rng: np.random.Generator, mantle: Color, breast: Color) -> Sprite:
    canvas = Canvas(1.4, 0.5, 90)
    x, y = canvas.x, canvas.y
    down = canvas.noise((0.15, 0.25), rng)
    pale = palette(down, darker(breast, 0.75), breast)
    canvas.paint(
        polygon(x, y, [(-0.5, -0.1), (-1.2, -0.3), (-1.1, 0.0), (-1.2, 0.3), (-0.5, 0.1)]), pale
    )
    canvas.paint(polygon(x, y, [(1.0, -0.06), (1.34, 0.02), (1.0, 0.08)]), floats(232, 160, 40))
    canvas.paint(capsule(x, y, (-0.55, 0.0), (0.45, 0.0), (0.14, 0.27)), pale)
    canvas.paint(ellipse(x, y, (0.85, 0.0), (0.24, 0.19)), pale)
    canvas.paint(capsule(x, y, (-0.5, -0.03), (0.4, -0.06), (0.06, 0.15)), floats(*mantle))
    canvas.paint(ellipse(x, y, (0.92, -0.06), (0.05, 0.05)), floats(16, 14, 18))
    canvas.shade((0.75 + 0.4 * down) * (0.62 + 0.45 * dome(x, y, (0.0, 0.0), (1.6, 0.45))))
    return canvas.sprite()
