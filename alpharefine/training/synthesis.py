"""Clips made of still images, and other objects added to any clip."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from alpharefine.data.images import FrameError
from alpharefine.data.source import TrainFrame
from alpharefine.training.appearance import change_colors
from alpharefine.training.compositing import Layer, cut_out, paste
from alpharefine.training.motion import (
    Matrix,
    MotionConfig,
    draw_motion,
    flip_frame,
    frame_of_mask,
    gentler,
    move_frame,
    translation,
    warp,
)
from alpharefine.types import Image, Mask

_ATTEMPTS = 5
_TWIN_COLORS = 2.5
"""Strength of a twin's change of colors: it must be told from the target."""
_CAMERA = MotionConfig(scale=(1.0, 1.15), aspect=0.0, rotation=4.0, perspective=0.03, shift=0.0)


@dataclass(frozen=True)
class SynthesisConfig:
    """How clips are made of still images and changed.

    Attributes:
        motion: of objects, from frame to frame.
        paste: share of still images whose target is pasted on another background.
        largest_in_place: targets whose sqrt(width * height) is a larger share of that of the image
            are pasted always: there is too little around them.
        target_side: smallest and largest sqrt(width * height) of a pasted target, as a share of
            that of the background.
        distractors: probability of 0, 1, 2, ... other objects behind the target.
        alike: share of other objects that come from the target's own data set.
        nearby: share of distractors that stay beside the target in every frame, where a tracker
            and a refinement see both; the others may be anywhere.
        twins: share of distractors that are the target itself in other colors.
        beside_boxes: paste distractors beside targets without mask, too: away from their boxes.
        occluder: share of clips in which an object may pass before the target.
        occluded_frames: share of such a clip's frames, never the first, in which it does.
        least_visible: share of the target that an occluder leaves visible at least.
        video_motion: share of clips of real video whose frames are moved, half as much.
    """

    motion: MotionConfig = field(default_factory=MotionConfig)
    paste: float = 0.4
    largest_in_place: float = 0.7
    target_side: tuple[float, float] = (0.12, 0.5)
    distractors: tuple[float, ...] = (0.45, 0.3, 0.15, 0.1)
    alike: float = 0.6
    nearby: float = 0.0
    twins: float = 0.0
    beside_boxes: bool = False
    occluder: float = 0.3
    occluded_frames: float = 0.5
    least_visible: float = 0.45
    video_motion: float = 0.5

    def __post_init__(self) -> None:
        if not math.isclose(sum(self.distractors), 1):
            raise ValueError("distractors are probabilities: they must sum to 1")


DIMP_SYNTHESIS = SynthesisConfig(paste=0.5, largest_in_place=0.3, target_side=(0.1, 0.3))
"""For crops of six times the target: its surroundings count."""


class Material(Protocol):
    """Where backgrounds and other objects come from."""

    def background(self, rng: np.random.Generator) -> Image:
        """A random image.

        Raises:
            FrameError: the chosen file is broken.
        """
        ...

    def other_object(self, alike: bool, rng: np.random.Generator) -> TrainFrame | None:
        """A frame with mask of another object, None when there are none.

        Args:
            alike: from the same data set as the target.
            rng: source of randomness.

        Raises:
            FrameError: the chosen file is broken.
        """
        ...


@dataclass(frozen=True)
class _Actor:
    """A layer with its mean place in a clip."""

    layer: Layer
    x: float
    y: float

    def pose(self, config: MotionConfig, image: Image, rng: np.random.Generator) -> Matrix:
        """Where and how it is in one frame; its center stays inside the frame."""
        height, width = image.shape[:2]
        reach = config.shift * math.sqrt(self.layer.size[0] * self.layer.size[1])
        dx, dy = rng.normal(0, 1, 2) * reach
        x = float(np.clip(self.x + dx, 0.05 * width, 0.95 * width))
        y = float(np.clip(self.y + dy, 0.05 * height, 0.95 * height))
        return self.layer.placed(x, y, draw_motion(config, self.layer.size, rng))


def animate_still(
    still: TrainFrame,
    count: int,
    isolated: bool,
    material: Material,
    config: SynthesisConfig,
    rng: np.random.Generator,
) -> list[TrainFrame]:
    """Make a clip of a still image: the target moves with its surroundings, or over others.

    Args:
        still: the image; without a mask it is only scaled and shifted.
        count: frames.
        isolated: the image has no surroundings of its own: paste always.
        material: backgrounds and other objects.
        config: probabilities and ranges.
        rng: source of randomness.

    Raises:
        FrameError: a file is broken, or the target cannot be kept in view.
    """
    share = math.sqrt(still.box.w * still.box.h / still.image[..., 0].size)
    wanted = isolated or share > config.largest_in_place or rng.random() < config.paste
    if still.mask is None or not wanted:
        return [_retry(lambda: move_frame(still, config.motion, rng)) for _ in range(count)]
    canvas = _canvas(material.background(rng), rng)
    actor = _target_actor(still, canvas, config, rng)
    return [_retry(lambda: _act(actor, canvas, config.motion, rng)) for _ in range(count)]


def move_clip(
    frames: Sequence[TrainFrame], config: MotionConfig, rng: np.random.Generator
) -> list[TrainFrame]:
    """See every frame of a real clip from elsewhere; kept as it is where the target would leave."""
    config = gentler(config, 0.5)
    moved = []
    for frame in frames:
        try:
            moved.append(move_frame(frame, config, rng))
        except FrameError:
            moved.append(frame)
    return moved


def add_objects(
    frames: Sequence[TrainFrame],
    material: Material,
    config: SynthesisConfig,
    rng: np.random.Generator,
) -> list[TrainFrame]:
    """Paste distractors behind the target and, in some frames, an occluder before it.

    Where a frame has no mask, what is before and what behind is not known: such clips get no
    occluder, and distractors only with `beside_boxes`.

    Raises:
        FrameError: a file is broken.
    """
    changed = list(frames)
    masked = all(frame.mask is not None for frame in frames)
    if not masked and not config.beside_boxes:
        return changed
    for _ in range(int(rng.choice(len(config.distractors), p=config.distractors))):
        actor = _distractor(frames[0], material, config, rng)
        if actor is None:
            continue
        near = not masked or _happens(config.nearby, rng)
        changed = [
            _behind(frame, _beside(frame, actor, rng) if near else actor, config.motion, rng)
            for frame in changed
        ]
    if masked and rng.random() < config.occluder:
        actor = _other_actor(frames[0], material, config, rng)
        if actor is not None:
            changed[1:] = [_maybe_occluded(f, actor, config, rng) for f in changed[1:]]
    return changed


def flip_clip(frames: Sequence[TrainFrame]) -> list[TrainFrame]:
    """Mirror every frame of a clip."""
    return [flip_frame(frame) for frame in frames]


def _retry(make: Callable[[], TrainFrame]) -> TrainFrame:
    for _ in range(_ATTEMPTS - 1):
        try:
            return make()
        except FrameError:
            continue
    return make()


def _canvas(background: Image, rng: np.random.Generator) -> Image:
    """A random part of a background, enlarged a little where it is small."""
    height, width = background.shape[:2]
    part_size = np.array([height, width]) * rng.uniform(0.7, 1) * rng.uniform(0.85, 1, 2)
    h, w = (int(v) for v in part_size)
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    factor = max(rng.uniform(0.8, 1.2), 240 / max(h, w))
    shape = round(w * factor), round(h * factor)
    part = background[top : top + h, left : left + w]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    resized = cv2.resize(np.ascontiguousarray(part), shape, interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)


def _target_actor(
    still: TrainFrame, canvas: Image, config: SynthesisConfig, rng: np.random.Generator
) -> _Actor:
    height, width = canvas.shape[:2]
    low, high = np.log(config.target_side)
    side = math.sqrt(height * width) * math.exp(rng.uniform(low, high))
    own_side = math.sqrt(still.box.w * still.box.h)
    # As large as the canvas holds, and not much beyond the resolution there is.
    fitting = 0.7 * own_side * min(width / still.box.w, height / still.box.h)
    layer = cut_out(still, min(max(side, 24.0), 1.3 * own_side, fitting))
    return _Actor(_recolored(layer, rng), *_place(height, width, rng))


def _place(height: int, width: int, rng: np.random.Generator) -> tuple[float, float]:
    x, y = rng.uniform(0.2, 0.8, 2)
    return float(x * width), float(y * height)


def _recolored(layer: Layer, rng: np.random.Generator) -> Layer:
    return Layer(change_colors(layer.image, rng, 0.5), layer.alpha, layer.size)


def _act(
    actor: _Actor, canvas: Image, config: MotionConfig, rng: np.random.Generator
) -> TrainFrame:
    height, width = canvas.shape[:2]
    camera = draw_motion(_CAMERA, (2 * width, 2 * height), rng)
    cx, cy = (width - 1) / 2, (height - 1) / 2
    view = translation(cx, cy) @ camera @ translation(-cx, -cy)
    image = warp(canvas, view, width, height, cv2.BORDER_REFLECT_101)
    pose = actor.pose(config, image, rng)
    image, mask = paste(image, actor.layer, pose)
    return frame_of_mask(image, mask, 0.5 * _whole_area(actor.layer, pose))


def _whole_area(layer: Layer, pose: Matrix) -> float:
    """Area in px that the layer would cover in a boundless frame."""
    cx, cy = layer.center
    return float(layer.alpha.sum() / 255 * abs(np.linalg.det(pose)) / _depth(pose, cx, cy) ** 3)


def _depth(pose: Matrix, x: float, y: float) -> float:
    return float(pose[2] @ (x, y, 1.0))


def _other_actor(
    frame: TrainFrame, material: Material, config: SynthesisConfig, rng: np.random.Generator
) -> _Actor | None:
    """Another object about as large as the target."""
    other = material.other_object(bool(rng.random() < config.alike), rng)
    if other is None:
        return None
    height, width = frame.image.shape[:2]
    side = math.sqrt(frame.box.w * frame.box.h) * math.exp(rng.normal(0, 0.35))
    own_side = math.sqrt(other.box.w * other.box.h)
    layer = cut_out(other, min(max(side, 16.0), 2 * own_side))
    return _Actor(_recolored(layer, rng), *_place(height, width, rng))


def _happens(share: float, rng: np.random.Generator) -> bool:
    """Whether something of this share is the case; a share of 0 draws nothing."""
    return share > 0 and bool(rng.random() < share)


def _distractor(
    frame: TrainFrame, material: Material, config: SynthesisConfig, rng: np.random.Generator
) -> _Actor | None:
    """Another object, or the target in other colors."""
    if frame.mask is None or not _happens(config.twins, rng):
        return _other_actor(frame, material, config, rng)
    height, width = frame.image.shape[:2]
    side = math.sqrt(frame.box.w * frame.box.h) * math.exp(rng.normal(0, 0.15))
    layer = cut_out(frame, max(side, 16.0))
    image = change_colors(layer.image, rng, _TWIN_COLORS)
    return _Actor(Layer(image, layer.alpha, layer.size), *_place(height, width, rng))


def _beside(frame: TrainFrame, actor: _Actor, rng: np.random.Generator) -> _Actor:
    """The same object beside the target, near enough to be in a search region with it."""
    box, (width, height) = frame.box, actor.layer.size
    direction = rng.uniform(0, 2 * math.pi)
    # A box hides what is behind it, so nothing may reach into it that would be cut off straight.
    low = 0.55 if frame.mask is not None else 1.0
    reach = rng.uniform(low, 1.8)
    x = box.x + box.w / 2 + math.cos(direction) * reach * (box.w + width) / 2
    y = box.y + box.h / 2 + math.sin(direction) * reach * (box.h + height) / 2
    return _Actor(actor.layer, x, y)


def _behind(
    frame: TrainFrame, actor: _Actor, config: MotionConfig, rng: np.random.Generator
) -> TrainFrame:
    pose = actor.pose(config, frame.image, rng)
    image, _ = paste(frame.image, actor.layer, pose, before=_in_front(frame))
    return TrainFrame(image, frame.box, frame.mask)


def _in_front(frame: TrainFrame) -> Mask:
    """What stays in front of distractors: the target's mask, or all of its box."""
    if frame.mask is not None:
        return frame.mask
    box = frame.box
    mask = np.zeros(frame.image.shape[:2], np.uint8)
    top, left = (max(round(v), 0) for v in (box.y, box.x))
    mask[top : round(box.y + box.h), left : round(box.x + box.w)] = 1
    return mask


def _maybe_occluded(
    frame: TrainFrame, actor: _Actor, config: SynthesisConfig, rng: np.random.Generator
) -> TrainFrame:
    """The frame with the object over a side of the target, if enough of it stays visible."""
    assert frame.mask is not None
    if rng.random() >= config.occluded_frames:
        return frame
    direction = rng.uniform(0, 2 * math.pi)
    box, reach = frame.box, rng.uniform(0.3, 0.9)
    x = box.x + box.w / 2 + math.cos(direction) * reach * (box.w + actor.layer.size[0]) / 2
    y = box.y + box.h / 2 + math.sin(direction) * reach * (box.h + actor.layer.size[1]) / 2
    pose = actor.layer.placed(x, y, draw_motion(config.motion, actor.layer.size, rng))
    image, cover = paste(frame.image, actor.layer, pose)
    mask = frame.mask & (1 - cover)
    try:
        return frame_of_mask(image, mask, config.least_visible * np.count_nonzero(frame.mask))
    except FrameError:
        return frame
