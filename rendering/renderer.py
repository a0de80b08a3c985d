"""A scene rendered: backdrop and cast under changing light, with the faults of a camera."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alpharefine.types import Image, Mask
from rendering.arrays import Floats, floats, grid, smoothstep
from rendering.compositing import (
    HEIGHT,
    WIDTH,
    Actor,
    Camera,
    Composite,
    compose,
    view_backdrop,
)
from rendering.motion import ONE, Scalar
from rendering.noise import fractal_noise

_SLACK = 64
"""How far the noise pattern can shift from frame to frame, pixels."""


@dataclass(frozen=True)
class Scene:
    """Everything that a sequence is made of.

    Attributes:
        seed: of the sensor noise and of the light under water.
        backdrop: paints the backdrop, H x W x 3, 0..255.
        camera: where the camera looks.
        cast: makes the actors, back to front.
        target: index of the target among them.
        light: brightness, 1 normal.
        tint: factors of red, green and blue.
        grain: standard deviation of the sensor noise, gray levels.
        under_water: whether a net of bright lines plays over everything.
    """

    seed: int
    backdrop: Callable[[], Floats]
    camera: Camera
    cast: Callable[[], tuple[Actor, ...]]
    target: int
    light: Scalar = ONE
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grain: float = 2.5
    under_water: bool = False


@dataclass(frozen=True)
class RenderedFrame:
    """One frame of a sequence.

    Attributes:
        image: H x W x 3 RGB, 0..255.
        mask: H x W {0, 1}: pixels of which the visible part of the target covers at least half.
        visibility: pixels of the mask over those that it would have if nothing hid the target and
            the image had no border, 0..1.
    """

    image: Image
    mask: Mask
    visibility: float


class Renderer:
    """Renders the frames of a scene, in any order; what all of them share is painted once."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._actors = scene.cast()
        self._rng = np.random.default_rng(scene.seed)
        self._grain = self._sensor_noise(scene.grain)

    def frame(self, index: int) -> RenderedFrame:
        """Frame `index`, counted from 0."""
        composite = self.composite(index)
        mask = (composite.coverage >= np.float32(0.5)).astype(np.uint8)
        visible = int(np.count_nonzero(mask)) / max(composite.extent, 1)
        image = self._expose(composite.image, index)
        return RenderedFrame(image, mask, min(visible, 1.0))

    def composite(self, index: int) -> Composite:
        """The frame before light and sensor noise."""
        view = view_backdrop(self._backdrop, self._scene.camera, index)
        return compose(view, self._actors, self._scene.target, self._scene.camera, index)

    @cached_property
    def _backdrop(self) -> NDArray[np.uint16]:
        return np.rint(self._scene.backdrop()).astype(np.uint16)

    @cached_property
    def _vignette(self) -> Floats:
        """Fall of brightness toward the corners, HEIGHT x WIDTH x 3, times the tint."""
        x, y = grid(HEIGHT, WIDTH)
        u, v = (x - WIDTH / 2) / np.float32(WIDTH), (y - HEIGHT / 2) / np.float32(WIDTH)
        fall = 1 - np.float32(0.45) * (u * u + v * v)
        return fall[..., None] * floats(*self._scene.tint)

    @cached_property
    def _ripples(self) -> Floats:
        """Noise whose contour lines are the bright net under water, larger than the frame."""
        rng = np.random.default_rng(self._scene.seed + 1)
        return fractal_noise(HEIGHT + 256, WIDTH + 256, (52, 64), rng, octaves=3)

    def _sensor_noise(self, deviation: float) -> Floats:
        """Sum of four uniform draws, nearly normal; larger than the frame, for shifting."""
        shape = (HEIGHT + _SLACK, WIDTH + _SLACK, 3)
        total = np.zeros(shape, dtype=np.float32)
        for _ in range(4):
            total += self._rng.random(shape, dtype=np.float32) - np.float32(0.5)
        return total * np.float32(deviation * 1.732)

    def _expose(self, image: Floats, index: int) -> Image:
        """Light, vignette, ripples, noise; rounded to 0..255. Changes `image`."""
        image *= self._vignette
        image *= np.float32(round(self._scene.light(index), 6))
        if self._scene.under_water:
            image *= self._light_net(index).repeat(3).reshape(image.shape)
        shift = np.random.default_rng([self._scene.seed, index]).integers(0, _SLACK, 2)
        rows, columns = int(shift[0]), int(shift[1])
        image += self._grain[rows : rows + HEIGHT, columns : columns + WIDTH]
        np.rint(image, out=image)
        return np.clip(image, 0, 255, out=image).astype(np.uint8)

    def _light_net(self, index: int) -> Floats:
        """Brightness under moving water: lines where two drifting noises are equal."""
        drift = index % 256
        first = self._ripples[drift // 2 :, drift:][:HEIGHT, :WIDTH]
        second = self._ripples[::-1, ::-1][drift:, drift // 3 :][:HEIGHT, :WIDTH]
        net: Floats = 0.86 + 0.5 * smoothstep(0.07, 0.0, np.abs(first - second))
        return net
