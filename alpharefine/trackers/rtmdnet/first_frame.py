"""The samples of the first frame, and the scenes in which their features are taken.

All draws of samples come before any feature: only of those that will be learned are features made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpharefine.trackers.rtmdnet.config import RtMdNetConfig
from alpharefine.trackers.rtmdnet.samples import Boxes, SampleDraws, draw_boxes
from alpharefine.trackers.rtmdnet.scene import Scene, scene_box, scene_of

_BATCH = 10
"""Small scenes at a time."""


@dataclass(frozen=True)
class Placed:
    """Samples of one kind in some scenes.

    Attributes:
        boxes: N x 4, image px.
        scenes: number of the scene of each.
        rows: of their features among all of the kind.
    """

    boxes: Boxes
    scenes: NDArray[np.int64]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class SceneBatch:
    """Scenes of one size, and their samples: the target, what is around it, box regression."""

    scenes: Sequence[Scene]
    samples: tuple[Placed, ...]


@dataclass(frozen=True)
class FirstFrame:
    """What is to be learned of the first frame.

    Attributes:
        batches: scenes with their samples.
        counts: of all samples of each kind.
        regression_boxes: those of box regression, in the order of their rows.
    """

    batches: Sequence[SceneBatch]
    counts: tuple[int, ...]
    regression_boxes: Boxes


def first_frame_samples(
    target: NDArray[Any], config: RtMdNetConfig, image_size: tuple[int, int], draws: SampleDraws
) -> FirstFrame:
    """Draw the samples.

    Args:
        target: (x, y, w, h), image px.
        config: how many, and which.
        image_size: (W, H), px.
        draws: random numbers.
    """
    kinds = (config.positive, config.negative, config.regression)
    positive, negative = (draw_boxes(target, kind, image_size, draws) for kind in kinds[:2])
    negative = negative[draws.places.permutation(len(negative))]
    regression = draw_boxes(target, config.regression, image_size, draws)
    if not len(positive):
        # Nothing that lies in the image is like it: the target itself must do.
        positive = np.asarray(target, np.float32)[None]
    around = scene_box(negative if len(negative) else positive, image_size, config.scene)
    scenes = list(_versions(around, target, config))
    boxes = (positive, negative, regression)
    chosen = [
        _chosen(len(scenes) * len(each), kind.count, draws)
        for each, kind in zip(boxes, kinds, strict=True)
    ]
    batches = [
        SceneBatch([scene], tuple(map(_in_version, [i] * 3, boxes, chosen)))
        for i, scene in enumerate(scenes)
    ]
    counts = tuple(map(len, chosen))
    drawn = [_near_scene(target, config, image_size, draws) for _ in range(config.extra.count)]
    for start in range(0, len(drawn), _BATCH):
        part = drawn[start : start + _BATCH]
        batch = _batch(part, counts)
        counts = tuple(n + len(p.boxes) for n, p in zip(counts, batch.samples, strict=True))
        batches.append(batch)
    kept = regression[chosen[2] % max(len(regression), 1)]
    near = [samples[2] for _, samples in drawn]
    return FirstFrame(batches, counts, np.concatenate([kept, *near]))


def _versions(around: NDArray[Any], target: NDArray[Any], config: RtMdNetConfig) -> Iterator[Scene]:
    extra, scene = config.extra, config.scene
    for shift in ((0, 0), (extra.shift, 0), (0, extra.shift)):
        yield scene_of(around - [*shift, 0, 0], target, scene)
    for exponent in extra.scales:
        yield scene_of(around, target, scene, extra.scale_step**exponent)


def _chosen(length: int, count: int, draws: SampleDraws) -> NDArray[np.int64]:
    """Numbers of samples, scene by scene, that are learned."""
    if length <= count:
        return np.arange(length)
    return np.asarray(draws.places.permutation(length)[:count])


def _in_version(number: int, boxes: Boxes, chosen: NDArray[np.int64]) -> Placed:
    rows = np.flatnonzero(chosen // max(len(boxes), 1) == number)
    return Placed(boxes[chosen[rows] % max(len(boxes), 1)], np.zeros_like(rows), rows)


def _near_scene(
    target: NDArray[Any], config: RtMdNetConfig, image_size: tuple[int, int], draws: SampleDraws
) -> tuple[Scene, list[Boxes]]:
    """A small scene about the target, and samples of each kind."""
    extra, scene = config.extra, config.scene
    offset = np.clip(2 * draws.places.randn(2), -extra.jitter, extra.jitter)
    exponent = np.clip(draws.places.randn(1), -2, 2)
    factor = float((extra.scale_step**exponent)[0])
    size = target[2:] * extra.region
    origin = target[:2] + target[2:] / 2 - size / 2 + offset
    side = int(scene.object_size * extra.region)
    ratio = scene.object_size / factor / target[2:]
    kinds = (
        replace(config.positive, count=extra.positive),
        config.near_negative,
        replace(config.regression, count=extra.regression),
    )
    samples = [draw_boxes(target, kind, image_size, draws) for kind in kinds]
    return Scene(origin, size * factor, (side, side), ratio), samples


def _batch(part: Sequence[tuple[Scene, list[Boxes]]], counts: tuple[int, ...]) -> SceneBatch:
    placed = []
    for kind, start in enumerate(counts):
        boxes = [samples[kind] for _, samples in part]
        numbers = np.repeat(np.arange(len(part)), [len(each) for each in boxes])
        placed.append(Placed(np.concatenate(boxes), numbers, start + np.arange(len(numbers))))
    return SceneBatch([scene for scene, _ in part], tuple(placed))
