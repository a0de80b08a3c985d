"""The things: kite, ball and tractor."""

from functools import partial

import numpy as np

from rendering.arrays import Floats, cos_sin, floats, mix, smoothstep
from rendering.painting import (
    Canvas,
    box,
    capsule,
    ellipse,
    palette,
    polygon,
)
from rendering.sprites import Jointed, Part, Sprite, Wave, swing


def kite(seed: int) -> Jointed:
    """A patchwork delta of cloth that flutters, with a ribbon for a tail."""
    rng = np.random.default_rng(seed)
    cloth, ribbon = _kite_cloth(rng), _kite_ribbon(rng)
    return Jointed((2.85, 1.5), partial(_kite_parts, cloth, ribbon))


def _kite_parts(cloth: Sprite, ribbon: Sprite, phase: float) -> tuple[Part, ...]:
    flutter = Wave(0.16, 0.55, -0.2, 1.2)
    return (
        Part(ribbon, x=-1.7, angle=0.5 + 0.03 * swing(phase), wave=Wave(0.3, 0.8, -1.0, 1.0)),
        Part(cloth, angle=0.012 * swing(phase, 0.2), stretch=(-1.0, 1.0), wave=flutter),
    )


def _kite_ribbon(rng: np.random.Generator) -> Sprite:
    canvas = Canvas(1.05, 0.5, 90)
    x, y = canvas.x, canvas.y
    stripes = np.floor(x * 5) % 2
    weave = canvas.noise((0.1, 0.1), rng)
    color = mix(floats(226, 74, 110), floats(240, 226, 120), stripes[..., None] + 0 * y[..., None])
    canvas.paint(
        capsule(x, y, (-1.0, 0.0), (1.0, 0.0), (0.13, 0.09)),
        color * (0.7 + 0.5 * weave)[..., None],
    )
    return canvas.sprite()


def _kite_cloth(rng: np.random.Generator) -> Sprite:
    canvas = Canvas(1.75, 1.35, 90)
    x, y = canvas.x, canvas.y
    outline = polygon(x, y, [(-1.5, 0.0), (-0.4, -1.05), (1.5, -0.25), (1.5, 0.25), (-0.4, 1.05)])
    weave = canvas.noise((0.05, 0.05), rng, octaves=2)
    folds = canvas.noise((0.5, 0.2), rng)
    panel = np.where(y < 0, np.float32(0), np.float32(1)) + np.where(
        x + np.abs(y) < 0.1, np.float32(2), np.float32(0)
    )
    colors = np.array(
        [(30, 84, 178), (232, 180, 40), (214, 52, 44), (26, 142, 120)], dtype=np.float32
    )
    canvas.paint(outline, colors[panel.astype(np.int64)])
    disc = np.abs(ellipse(x, y, (-0.25, 0.0), (0.5, 0.5))) - 0.1
    canvas.paint(np.maximum(disc, outline), floats(244, 240, 228))
    for band in (-0.55, 0.55):
        stripe = np.abs(y - band * (1.3 - 0.55 * x)) - 0.05
        canvas.paint(np.maximum(stripe, outline + 0.05), floats(28, 26, 40))
    spine = np.minimum(np.abs(y) + 0 * x, np.abs(x + 0.4) + 0 * y) - 0.025
    canvas.paint(np.maximum(spine, outline), floats(60, 44, 40))
    canvas.shade((0.72 + 0.25 * weave) * (0.6 + 0.75 * folds))
    return canvas.sprite()


class Ball:
    """A patterned ball of radius 1 that turns about a tilted axis; lit from the upper left.

    Each pixel of the disc is a point of the sphere; turned back by the phase, it looks up one of
    two disc-shaped paintings (the halves of the sphere, seen along the third axis).
    """

    half_size = (1.02, 1.02)

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._halves = (_ball_half(rng, 0), _ball_half(rng, 1))

    def draw(self, x: Floats, y: Floats, phase: float, pixels_per_unit: float) -> Floats:
        """As `Appearance.draw`."""
        reach = np.sqrt(x * x + y * y)
        z = np.sqrt(np.maximum(np.float32(0), 1 - reach * reach))
        light = 0.42 + 0.62 * np.maximum(np.float32(0), 0.62 * z - 0.5 * y - 0.36 * x)
        cosine, sine_ = (np.float32(v) for v in cos_sin(phase))
        turned_x, turned_z = x * cosine + z * sine_, z * cosine - x * sine_
        tilt_c, tilt_s = (np.float32(v) for v in cos_sin(phase * 0.37))
        turned_y, turned_z = y * tilt_c + turned_z * tilt_s, turned_z * tilt_c - y * tilt_s
        front, back = (half.sample(turned_x, turned_y, pixels_per_unit) for half in self._halves)
        color = np.where((turned_z > 0)[..., None], front, back)[..., :3]
        gloss = smoothstep(0.3, 0.0, np.sqrt((x + 0.36) ** 2 + (y + 0.42) ** 2))
        color = color * light[..., None] + (70 * gloss)[..., None]
        cover = np.clip((1 - reach) * np.float32(pixels_per_unit) + np.float32(0.5), 0, 1)[
            ..., None
        ]
        return np.concatenate([np.minimum(color, 255) * cover, cover], axis=2).astype(np.float32)


def _ball_half(rng: np.random.Generator, half: int) -> Sprite:
    canvas = Canvas(1.2, 1.2, 60)
    x, y = canvas.x, canvas.y
    leather = canvas.noise((0.12, 0.12), rng)
    wedge = np.where((x > 0) ^ (y > 0.35 * x), np.float32(1), np.float32(0))
    colors = (
        (floats(236, 232, 214), floats(24, 88, 66)),
        (floats(236, 196, 52), floats(44, 50, 96)),
    )
    canvas.glaze(np.ones_like(leather), mix(colors[half][0], colors[half][1], wedge[..., None]))
    canvas.paint(ellipse(x, y, (0.1, -0.05), (0.34, 0.34)), floats(30, 30, 34))
    canvas.paint(np.abs(ellipse(x, y, (0.0, 0.0), (0.86, 0.86))) - 0.06, floats(196, 44, 40))
    canvas.shade(0.72 + 0.5 * leather)
    return canvas.sprite()


def tractor(seed: int) -> Jointed:
    """A tractor from the side, driving right; the phase turns its wheels."""
    rng = np.random.default_rng(seed)
    return Jointed((1.65, 1.4), partial(_tractor_parts, _tractor_body(rng), _wheel(rng)))


def _tractor_parts(body: Sprite, wheel: Sprite, phase: float) -> tuple[Part, ...]:
    jolt = 0.015 * swing(phase, 0.1)
    return (
        Part(body, y=jolt, angle=0.004 * swing(phase * 0.7)),
        Part(wheel, x=-0.75, y=0.45, angle=phase),
        Part(wheel, x=0.95, y=0.72, angle=phase * 1.75, stretch=(0.57, 0.57)),
    )


def _wheel(rng: np.random.Generator) -> Sprite:
    canvas = Canvas(0.8, 0.8, 110)
    x, y = canvas.x, canvas.y
    rubber = palette(canvas.noise((0.08, 0.08), rng), (16, 16, 18), (64, 62, 60))
    for k in range(14):
        c, s = cos_sin(k / 14)
        canvas.paint(capsule(x, y, (0.5 * c, 0.5 * s), (0.71 * c, 0.71 * s), (0.06, 0.05)), rubber)
    canvas.paint(ellipse(x, y, (0.0, 0.0), (0.66, 0.66)), rubber)
    rust = palette(canvas.noise((0.1, 0.1), rng), (190, 120, 24), (232, 190, 60))
    canvas.paint(ellipse(x, y, (0.0, 0.0), (0.36, 0.36)), rust)
    for k in range(5):
        c, s = cos_sin(k / 5 + 0.03)
        canvas.paint(ellipse(x, y, (0.21 * c, 0.21 * s), (0.08, 0.08)), floats(40, 30, 22))
    canvas.paint(ellipse(x, y, (0.0, 0.0), (0.09, 0.09)), floats(70, 60, 50))
    return canvas.sprite()


def _tractor_body(rng: np.random.Generator) -> Sprite:
    canvas = Canvas(1.6, 1.35, 90)
    x, y = canvas.x, canvas.y
    grime = canvas.noise((0.4, 0.4), rng, octaves=5)
    paint = palette(grime, (84, 22, 20), (168, 36, 30), (206, 62, 44))
    canvas.paint(box(x, y, (0.1, 0.5), (1.2, 0.14)), palette(grime, (30, 28, 28), (78, 72, 66)))
    canvas.paint(capsule(x, y, (0.78, -0.1), (0.78, -0.85), (0.06, 0.05)), floats(52, 48, 46))
    canvas.paint(box(x, y, (0.62, 0.12), (0.7, 0.34)) - 0.04, paint)
    cab = polygon(x, y, [(-1.05, 0.3), (-0.95, -1.0), (-0.05, -1.0), (0.1, 0.3)])
    canvas.paint(cab - 0.03, paint * np.float32(0.92))
    glass = palette(
        0.6 - 0.5 * y + 0.5 * (grime - 0.5), (44, 58, 66), (132, 160, 172), (196, 212, 214)
    )
    canvas.paint(polygon(x, y, [(-0.9, -0.1), (-0.83, -0.84), (-0.5, -0.84), (-0.5, -0.1)]), glass)
    canvas.paint(polygon(x, y, [(-0.4, -0.1), (-0.4, -0.84), (-0.14, -0.84), (-0.04, -0.1)]), glass)
    canvas.paint(
        box(x, y, (-0.5, -1.05), (0.58, 0.07)), palette(grime, (150, 150, 146), (214, 210, 200))
    )
    for k in range(4):
        canvas.paint(box(x, y, (0.42 + 0.2 * k, 0.1), (0.05, 0.2)), floats(40, 24, 22), 0.8)
    fender = np.maximum(ellipse(x, y, (-0.75, 0.42), (0.84, 0.84)), y - 0.3)
    canvas.paint(fender, palette(grime, (110, 26, 22), (190, 48, 38)))
    canvas.paint(ellipse(x, y, (1.3, -0.05), (0.1, 0.12)), floats(240, 226, 170))
    canvas.shade(
        0.78 + 0.3 * smoothstep(0.6, -1.0, y + 0 * x) - 0.12 * smoothstep(0.35, 0.5, y + 0 * x)
    )
    return canvas.sprite()
