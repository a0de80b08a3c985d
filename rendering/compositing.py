"""Puts actors in front of a backdrop and keeps account of which pixels show the target."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rendering.arrays import Floats
from rendering.motion import ONE, ZERO, Scalar
from rendering.sprites import Appearance, to_local

HEIGHT, WIDTH = 360, 640

_SHUTTER = 0.5
"""Share of the frame interval during which the shutter is open (film's 180 degrees)."""

_MAX_INSTANTS = 7
_MIN_STRETCH = 0.2
_SHADOW_BLUR = 6.0


@dataclass(frozen=True)
class Camera:
    """Where the camera looks: the backdrop point at the image center, and magnification."""

    x: Scalar
    y: Scalar
    zoom: Scalar = ONE


@dataclass(frozen=True)
class Shadow:
    """A soft dark copy of an actor under it.

    Attributes:
        x: offset in image direction, in units of the actor's scale.
        y: vertical offset.
        strength: 0 none, 1 black.
    """

    x: float
    y: float
    strength: float = 0.45


@dataclass(frozen=True)
class Actor:
    """Something in front of the backdrop.

    Attributes:
        look: its appearance.
        x: image column of its origin; for a scenery actor, backdrop column.
        y: image row of its origin; for a scenery actor, backdrop row.
        scale: image pixels per local unit.
        angle: turns, clockwise in the image.
        phase: position in its cycle of movement, turns.
        stretch_x: factor of its own x axis (turning out of the image plane; negative mirrors).
            Between -0.2 and 0.2 it is held at these: a thing seen edge-on still has a thickness.
        stretch_y: factor of its own y axis.
        depth: 0 for an actor that moves in image coordinates; scenery moves against the camera
            `depth` times as fast as the backdrop (1: on it, more: nearer than it).
        shadow: its shadow, or None.
    """

    look: Appearance
    x: Scalar
    y: Scalar
    scale: Scalar
    angle: Scalar = ZERO
    phase: Scalar = ZERO
    stretch_x: Scalar = ONE
    stretch_y: Scalar = ONE
    depth: float = 0.0
    shadow: Shadow | None = None

    def position(self, camera: Camera, time: float) -> tuple[float, float]:
        """Image column and row of the origin."""
        x, y = self.x(time), self.y(time)
        if self.depth:
            x = WIDTH / 2 + (x - camera.x(time)) * self.depth
            y = HEIGHT / 2 + (y - camera.y(time)) * self.depth
        return x, y

    def axes(self, time: float) -> tuple[float, float]:
        """Image pixels per unit of its own x and y axes; negative where mirrored."""
        scale = self.scale(time)
        x, y = (
            math.copysign(max(abs(stretch(time)), _MIN_STRETCH), stretch(time))
            for stretch in (self.stretch_x, self.stretch_y)
        )
        return scale * x, scale * y


class Window(NamedTuple):
    """A rectangle of pixels, right and bottom excluded; it may reach beyond the image."""

    left: int
    top: int
    right: int
    bottom: int

    def within_image(self) -> "Window":
        """The part inside the image; of no width or height if there is none."""
        left, top = min(max(self.left, 0), WIDTH), min(max(self.top, 0), HEIGHT)
        right, bottom = min(max(self.right, left), WIDTH), min(max(self.bottom, top), HEIGHT)
        return Window(left, top, right, bottom)

    def relative_to(self, other: "Window") -> "Window":
        """The same pixels, counted from the first pixel of `other`."""
        left, top = other.left, other.top
        return Window(self.left - left, self.top - top, self.right - left, self.bottom - top)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an image with; for a window inside the image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Exposure:
    """One actor in one frame, while the shutter is open.

    The exposure is the mean of 1, 3, 5 or 7 instants, two more for every three pixels that the
    actor moves; their number is odd, so that no pixel is covered by exactly half of them.

    Attributes:
        actor: who.
        camera: seen by whom.
        index: in which frame.
        offset: displacement in image direction, in units of the actor's scale (for a shadow).
        blur: how much too coarse the level of detail is, 1 not at all.
    """

    actor: Actor
    camera: Camera
    index: int
    offset: tuple[float, float] = (0.0, 0.0)
    blur: float = 1.0

    @cached_property
    def _instants(self) -> list[tuple[float, float, float]]:
        """Time, image column and row of the actor's origin at every instant."""
        start, end = self._place(self.index), self._place(self.index + _SHUTTER)
        moved = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        count = min(1 + 2 * int(moved / 3), _MAX_INSTANTS)
        times = [self.index + _SHUTTER * k / count for k in range(count)]
        return [(time, *self._place(time)) for time in times]

    def _place(self, time: float) -> tuple[float, float]:
        x, y = self.actor.position(self.camera, time)
        scale = self.actor.scale(time)
        return x + self.offset[0] * scale, y + self.offset[1] * scale

    @cached_property
    def window(self) -> Window:
        """All pixels that the actor can touch, inside the image or not."""
        half_width, half_height = self.actor.look.half_size
        windows = []
        for time, x, y in self._instants:
            width, height = (
                half * abs(axis) + 2
                for half, axis in zip((half_width, half_height), self.actor.axes(time), strict=True)
            )
            if self.actor.angle(time):
                width = height = math.hypot(width, height)
            windows.append((x - width, y - height, x + width, y + height))
        left, top, _, _ = (math.floor(min(side)) for side in zip(*windows, strict=True))
        _, _, right, bottom = (math.ceil(max(side)) for side in zip(*windows, strict=True))
        return Window(left, top, right + 1, bottom + 1)

    def draw(self, window: Window) -> Floats:
        """The actor in a window, h x w x 4: premultiplied color 0..255 and coverage 0..1."""
        columns = np.arange(window.left, window.right, dtype=np.float32)[None, :]
        rows = np.arange(window.top, window.bottom, dtype=np.float32)[:, None]
        total = np.zeros((rows.size, columns.size, 4), dtype=np.float32)
        for time, x, y in self._instants if total.size else ():
            angle, axes = self.actor.angle(time), self.actor.axes(time)
            detail = self.actor.scale(time) / self.blur
            local_x, local_y = to_local(columns, rows, x, y, angle, axes)
            total += self.actor.look.draw(local_x, local_y, self.actor.phase(time), detail)
        return total * np.float32(1 / len(self._instants))


def view_backdrop(backdrop: NDArray[np.uint16], camera: Camera, index: int) -> Floats:
    """What the camera sees of the backdrop, HEIGHT x WIDTH x 3, 0..255.

    Bilinear in 8-bit fixed point, columns and rows one after the other.

    Args:
        backdrop: H x W x 3, 0..255, as 16-bit integers so that weights fit without a copy.
        camera: where to look; a view that would leave the backdrop is moved back onto it.
        index: frame number.
    """
    zoom = camera.zoom(index)
    rows, row_share = _axis(HEIGHT, camera.y(index), zoom, backdrop.shape[0])
    columns, column_share = _axis(WIDTH, camera.x(index), zoom, backdrop.shape[1])
    base = columns[0]
    seen = backdrop[:, base : columns[-1] + 2]
    bands = _blend(seen[rows], seen[rows + 1], row_share[:, None, None])
    columns = columns - base
    view = _blend(bands[:, columns], bands[:, columns + 1], column_share[None, :, None])
    return view.astype(np.float32)


def _axis(
    length: int, center: float, zoom: float, available: int
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """First source index and weight (of 256) of the second, for each image pixel of one axis."""
    extent = (length - 1) / zoom
    start = min(max(center - extent / 2, 0.0), available - 2 - extent)
    position = np.rint((start + np.arange(length) / zoom) * 256).astype(np.int64)
    return position // 256, (position % 256).astype(np.uint16)


def _blend(
    first: NDArray[np.uint16], second: NDArray[np.uint16], weight: NDArray[np.uint16]
) -> NDArray[np.uint16]:
    """(first * (256 - weight) + second * weight) / 256, rounded; at most 65408, so it fits."""
    blend = first * (np.uint16(256) - weight)
    blend += second * weight
    blend += np.uint16(128)
    blend >>= np.uint16(8)
    return blend


@dataclass(frozen=True)
class Composite:
    """A frame before the camera's own faults are added.

    Attributes:
        image: HEIGHT x WIDTH x 3, 0..255.
        coverage: HEIGHT x WIDTH, share of each pixel that shows the target, 0..1.
        extent: number of pixels at least half covered by the target if nothing hid it and the
            image had no border.
    """

    image: Floats
    coverage: Floats
    extent: int


def compose(
    view: Floats, actors: tuple[Actor, ...], target: int, camera: Camera, index: int
) -> Composite:
    """Put the actors over the view of the backdrop, the first at the back.

    Args:
        view: HEIGHT x WIDTH x 3; changed in place.
        actors: back to front.
        target: which of them is the target.
        camera: for the scenery.
        index: frame number.
    """
    coverage = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    extent = 0
    for number, actor in enumerate(actors):
        if actor.shadow is not None:
            _lay_shadow(view, actor, actor.shadow, camera, index)
        exposure = Exposure(actor, camera, index)
        window = exposure.window.within_image()
        if number == target:
            whole = exposure.draw(exposure.window)
            extent = int(np.count_nonzero(whole[..., 3] >= np.float32(0.5)))
            pixels = whole[window.relative_to(exposure.window).slices]
        else:
            pixels = exposure.draw(window)
        cover = pixels[..., 3]
        view[window.slices] = view[window.slices] * (1 - cover[..., None]) + pixels[..., :3]
        coverage[window.slices] *= 1 - cover
        if number == target:
            coverage[window.slices] = cover
    return Composite(view, coverage, extent)


def _lay_shadow(view: Floats, actor: Actor, shadow: Shadow, camera: Camera, index: int) -> None:
    exposure = Exposure(actor, camera, index, (shadow.x, shadow.y), _SHADOW_BLUR)
    window = exposure.window.within_image()
    cover = exposure.draw(window)[..., 3:] * np.float32(shadow.strength)
    view[window.slices] *= 1 - cover
