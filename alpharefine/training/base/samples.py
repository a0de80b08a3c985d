"""DiMP's training samples: jittered search crops of some training and some test frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from alpharefine.geometry.base_crop import sample_patch
from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Image
from alpharefine.training.appearance import change_colours, lose_detail
from alpharefine.training.base.scenes import PastedScene, cut_out, warped_still
from alpharefine.training.data.files import FrameError
from alpharefine.training.data.groups import HoldOut, SourceConfig, SourceGroup, read_groups
from alpharefine.training.data.source import TrainFrame
from alpharefine.training.data.stills import ImageFolder

_BACKGROUND_SIDE = 480
_ATTEMPTS = 100


@dataclass(frozen=True)
class DimpSampleConfig:
    """How samples are made; the defaults are super_dimp's.

    Attributes:
        sources: data sets.
        backgrounds: folder of images for cut and paste, relative to the data root.
        train_frames: frames from which the filter is learned.
        test_frames: frames on which it is judged.
        max_gap: frames between the first and the last of a sample.
        sample_size: side of the crops, px.
        search_area_scale: side of the search area over the root of the target's area.
        max_scale_change: how much an area may shrink to fit into the image.
        train_center_jitter: width of the uniform shift of training crops, in root target area.
        test_center_jitter: the same of test crops.
        train_scale_jitter: sigma of the log scale of training crops.
        test_scale_jitter: the same of test crops.
        paste: share of still samples made by cut and paste.
        distractors: largest number of other objects pasted in.
        held_out: what is kept for validation.
        validation_samples: number of fixed validation samples.

    Source: the published super_dimp settings; cut and paste is an addition.
    """

    sources: tuple[SourceConfig, ...]
    backgrounds: str | None = None
    train_frames: int = 3
    test_frames: int = 3
    max_gap: int = 200
    sample_size: int = 352
    search_area_scale: float = 6.0
    max_scale_change: float = 1.5
    train_center_jitter: float = 3.0
    test_center_jitter: float = 5.5
    train_scale_jitter: float = 0.25
    test_scale_jitter: float = 0.5
    paste: float = 0.5
    distractors: int = 2
    held_out: HoldOut = field(default_factory=HoldOut)
    validation_samples: int = 256


class DimpSamples(Dataset[dict[str, Tensor]]):
    """Endless samples; sample n depends on the seed and n alone.

    Args:
        config: sources and augmentation.
        root: folder that the paths of `config` are relative to.
        seed: of the samples.
        validation: a fixed number of samples of the held-out images.

    Raises:
        UsageError: a source cannot be read or has nothing for this purpose.
    """

    def __init__(
        self, config: DimpSampleConfig, root: Path, seed: int, validation: bool = False
    ) -> None:
        self._config, self._seed, self._validation = config, seed, validation
        self._groups = read_groups(config.sources, root, config.held_out, validation)
        weights = np.array([group.weight for group in self._groups])
        self._chances = weights / weights.sum()
        self._backgrounds = ImageFolder(root / config.backgrounds) if config.backgrounds else None

    def __len__(self) -> int:
        """Number of validation samples; practically endless for training."""
        return self._config.validation_samples if self._validation else 2**40

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample `index`.

        Returns:
            `images`, N x S x S x 3 uint8, training frames first; `boxes`, N x 4 float32,
            (x, y, w, h) in crop pixels.
        """
        if index >= len(self):
            raise IndexError(index)
        rng = np.random.default_rng((self._seed, int(self._validation), index))
        for _ in range(_ATTEMPTS):
            try:
                return self._draw(rng)
            except FrameError:
                continue
        raise RuntimeError(f"no usable sample in {_ATTEMPTS} attempts")

    def _draw(self, rng: np.random.Generator) -> dict[str, Tensor]:
        config = self._config
        next_frame = self._frame_source(rng)
        count = config.train_frames + config.test_frames
        tone = np.random.default_rng(rng.integers(2**32))
        shared_tone = tone.bit_generator.state
        crops: list[Image] = []
        boxes: list[NDArray[np.float32]] = []
        flip = bool(rng.random() < 0.5)
        for k in range(count):
            is_test = k >= config.train_frames
            crop, box = self._crop(next_frame(k), is_test, flip, rng)
            tone.bit_generator.state = shared_tone
            crop = change_colours(crop, tone, 0.6)
            crop = lose_detail(change_colours(crop, rng, 0.3), rng) if is_test else crop
            crops.append(crop)
            boxes.append(box)
        return {
            "images": torch.from_numpy(np.stack(crops)),
            "boxes": torch.from_numpy(np.stack(boxes)),
        }

    def _frame_source(self, rng: np.random.Generator) -> Callable[[int], TrainFrame]:
        """What gives frame k of one sample."""
        config = self._config
        group = self._groups[rng.choice(len(self._groups), p=self._chances)]
        index = int(rng.choice(group.indices))
        visible = np.flatnonzero(group.source.sequence(index).visible)
        if visible.size == 0:
            raise FrameError("no visible frame")
        count = config.train_frames + config.test_frames
        if visible.size >= count:
            chosen = _spread(visible, count, config.max_gap, rng)
            return lambda k: group.source.frame(index, int(chosen[k]))
        still = group.source.frame(index, int(visible[0]))
        if still.mask is not None and (group.isolated or rng.random() < config.paste):
            scene = self._scene(still, rng)
            return lambda k: scene.frame(rng, 1.0)
        return lambda k: warped_still(still, rng, 1.0)

    def _scene(self, target: TrainFrame, rng: np.random.Generator) -> PastedScene:
        if self._backgrounds is None:
            raise FrameError("no backgrounds for cut and paste")
        background = self._backgrounds.image(int(rng.integers(len(self._backgrounds))))
        scale = _BACKGROUND_SIDE / min(background.shape[:2])
        background = np.asarray(cv2.resize(background, None, fx=scale, fy=scale), np.uint8)
        side = int(rng.integers(40, 161))
        others = [
            cut_out(self._object(rng), side)
            for _ in range(int(rng.integers(0, self._config.distractors + 1)))
        ]
        return PastedScene(background, cut_out(target, side), tuple(others))

    def _object(self, rng: np.random.Generator) -> TrainFrame:
        """Any object with a mask."""
        for _ in range(_ATTEMPTS):
            group: SourceGroup = self._groups[rng.choice(len(self._groups), p=self._chances)]
            index = int(rng.choice(group.indices))
            visible = np.flatnonzero(group.source.sequence(index).visible)
            if group.source.sequence(index).has_masks and visible.size:
                return group.source.frame(index, int(rng.choice(visible)))
        raise FrameError("no object with a mask")

    def _crop(
        self, frame: TrainFrame, is_test: bool, flip: bool, rng: np.random.Generator
    ) -> tuple[Image, NDArray[np.float32]]:
        config = self._config
        center_jitter = config.test_center_jitter if is_test else config.train_center_jitter
        scale_jitter = config.test_scale_jitter if is_test else config.train_scale_jitter
        box = frame.box
        root_area = np.sqrt(box.w * box.h)
        jittered = root_area * np.exp(np.clip(rng.normal(0, 1), -2, 2) * scale_jitter)
        shift = (rng.random(2) - 0.5) * center_jitter * jittered
        center = np.array([box.y + box.h / 2, box.x + box.w / 2]) + shift
        scale = config.search_area_scale * jittered / config.sample_size
        patch = sample_patch(
            frame.image,
            center.astype(np.float32),
            float(scale),
            config.sample_size,
            config.max_scale_change,
        )
        in_crop = _box_in_crop(box, patch.coordinates, config.sample_size)
        pixels = np.clip(np.rint(patch.pixels), 0, 255).astype(np.uint8)
        if flip:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
            in_crop[0] = config.sample_size - in_crop[0] - in_crop[2]
        middle = in_crop[:2] + in_crop[2:] / 2
        if (middle < 0).any() or (middle > config.sample_size).any() or in_crop[2:].min() < 4:
            raise FrameError("the target is hardly in the crop")
        return pixels, in_crop


def _box_in_crop(box: Box, coordinates: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    top, left, bottom, right = coordinates
    sy, sx = size / (bottom - top), size / (right - left)
    return np.array([(box.x - left) * sx, (box.y - top) * sy, box.w * sx, box.h * sy], np.float32)


def _spread(
    visible: NDArray[np.int64], count: int, max_gap: int, rng: np.random.Generator
) -> Sequence[int]:
    """Frames within `max_gap` of each other, training frames first, in random order each."""
    start = int(rng.choice(visible))
    near = visible[np.abs(visible - start) <= max_gap / 2]
    return [int(v) for v in rng.choice(near, count, replace=near.size < count)]
