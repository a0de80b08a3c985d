"""What trackers have in common that find a target by a filter and its extent by box ascent."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.geometry.base_crop import Pair, Patch, sample_patch
from alpharefine.inputs import check_initial_box
from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.nets.iou.box_values import BoxHead, BoxValues
from alpharefine.nets.iou.features import OnlineFeatures
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.online.augmentation import (
    augment,
    expanded_size,
    random_shift_count,
    sample_shifts,
)
from alpharefine.trackers.online.box_refinement import (
    RefinedCandidates,
    ascend,
    best_box,
    candidate_boxes,
)
from alpharefine.trackers.online.config import OnlineConfig
from alpharefine.trackers.online.draws import Draws, GeneratorDraws
from alpharefine.trackers.online.localization import Flag, Localization
from alpharefine.trackers.online.state import (
    Fallback,
    SamplePlace,
    TargetState,
    keep_inside,
    pair,
    scale_of,
)
from alpharefine.types import Box, Estimate, Image

_CPU_BATCH = 1
"""Crops at a time: on a CPU more take more memory, and packed weights suit frames' single crops."""


class OnlineNetwork(Protocol):
    """A network for such a tracker."""

    box_regressor: BoxRegressor
    stride: int

    def __call__(self, images: Tensor) -> OnlineFeatures:
        """Features of normalized crops, N x 3 x S x S."""
        ...


@dataclass(frozen=True)
class Sample:
    """A search region.

    Attributes:
        patch: its pixels.
        place: where it lies in the image, as far as the tracker knows.
        features: of it.
    """

    patch: Patch
    place: SamplePlace
    features: OnlineFeatures


@dataclass(frozen=True)
class FrameTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        patch: the search region.
        scores: score map in which the target was looked for.
        localization: decision.
        start_boxes: candidates before the ascent, K x 4, sample px; None if not refined.
        candidates: candidates after it.
        training_target: what the filter was to learn, see `SampleMemory`; None if nothing.
        learning_rate: its weight.
        slot: its place in the memory.
    """

    patch: Patch
    scores: NDArray[np.float32]
    localization: Localization
    start_boxes: Tensor | None = None
    candidates: RefinedCandidates | None = None
    training_target: Tensor | None = None
    learning_rate: float | None = None
    slot: int | None = None


@dataclass(frozen=True)
class OnlineSnapshot:
    """The state of a run between two frames; see `OnlineTracker` for the parts."""

    frame: int
    state: TargetState
    base_size: Pair
    last_refined_position: Pair
    classifier: Any
    modulation: IouFeatures
    fallbacks: frozenset[str]
    draws: Draws
    draws_state: Any


class OnlineTracker(ABC):
    """A target filter finds the target, a box regressor its extent; subclasses have the filter.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network; the filter is always optimized in float32.
        draws: random draws; by default from a generator that every `initialize` seeds anew.
        input_spec: what the network expects of its crops.
    """

    state: TargetState
    trace: FrameTrace
    modulation: IouFeatures

    def __init__(
        self,
        network: OnlineNetwork,
        config: OnlineConfig,
        runtime: Runtime,
        draws: Draws | None = None,
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        self._settings = config
        self._features = network
        self._box_head = BoxHead(network.box_regressor)
        self._runtime = runtime
        self._given_draws = draws
        self._input = CropInput(input_spec, runtime.device, runtime.dtype)

    @abstractmethod
    def _learn_target(self, image: Image) -> None:
        """Begin: the filter, and `modulation`."""

    @abstractmethod
    def _search(self, image: Image) -> Sample:
        """The search region of the next frame."""

    @abstractmethod
    def _localize(self, sample: Sample) -> Localization:
        """Where the target is in it; sets `trace`."""

    @abstractmethod
    def _update_filter(self, sample: Sample, flag: Flag) -> None:
        """Learn a frame, if it is to be learned."""

    @abstractmethod
    def _classifier_snapshot(self) -> Any:
        """The filter and what it is learned from."""

    @abstractmethod
    def _resume_classifier(self, snapshot: Any) -> None:
        """Go on from there, on this tracker's device."""

    @torch.inference_mode()
    def initialize(self, image: Image, target: Box) -> None:
        """Learn the target from the first frame.

        Raises:
            UsageError: the box is empty or not finite.
        """
        check_initial_box(target)
        settings = self._settings
        self._draws = self._given_draws or GeneratorDraws(settings.seed)
        self._fallbacks: set[str] = set()
        self._frame = 1
        self._unlearned: tuple[Sample, Flag] | None = None
        self._image_size = pair(*image.shape[:2])
        position = pair(target.y + (target.h - 1) / 2, target.x + (target.w - 1) / 2)
        size = pair(target.h, target.w)
        area = np.prod(size * np.float32(settings.search_area_scale))
        scale = np.sqrt(area) / np.float32(settings.image_sample_size)
        self.base_size = size / scale
        self.state = TargetState(position, size, scale)
        self._last_refined_position = position
        self._learn_target(image)

    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        return self.track_in(image, None)

    @torch.inference_mode()
    def track_in(self, image: Image, sample: Sample | None) -> Estimate:
        """Find the target in the next frame, in a search region that was cut for it already.

        Args:
            image: the frame.
            sample: holds the target as far as is known; None cuts the usual one.
        """
        self._frame += 1
        self._unlearned = None
        self._image_size = pair(*image.shape[:2])
        sample = self._search(image) if sample is None else sample
        found = self._localize(sample)
        if found.flag is not Flag.NOT_FOUND:
            self._update_position(sample.place.center + found.translation)
            self._refine_box(sample)
        self._unlearned = (sample, found.flag)
        if not self._settings.learn_settled:
            self._learn()
        fallbacks = frozenset(self._fallbacks)
        self._fallbacks.clear()
        return Estimate(
            self.state.box,
            confidence=found.peak,
            lost=found.flag is Flag.NOT_FOUND,
            ambiguous=found.flag in (Flag.HARD_NEGATIVE, Flag.UNCERTAIN),
            fallbacks=fallbacks,
        )

    @torch.inference_mode()
    def set_state(self, box: Box) -> None:
        """Continue from `box` (image px), and learn its frame if that has waited for it."""
        shrink = 0 if self._settings.official.lost_target_drift else 1
        position = pair(box.y + (box.h - shrink) / 2, box.x + (box.w - shrink) / 2)
        size = pair(box.h, box.w)
        self.state = TargetState(position, size, scale_of(size, self.base_size))
        self._learn()

    def snapshot(self) -> OnlineSnapshot:
        """See `alpharefine.types.ResumableTracker`."""
        return OnlineSnapshot(
            self._frame,
            self.state,
            self.base_size,
            self._last_refined_position,
            self._classifier_snapshot(),
            self.modulation,
            frozenset(self._fallbacks),
            self._draws,
            self._draws.snapshot(),
        )

    def resume(self, snapshot: OnlineSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        runtime, modulation = self._runtime, snapshot.modulation
        self._frame = snapshot.frame
        self.state = snapshot.state
        self.base_size = snapshot.base_size
        self._last_refined_position = snapshot.last_refined_position
        self._resume_classifier(snapshot.classifier)
        self.modulation = IouFeatures(
            modulation.fine.to(runtime.device, runtime.dtype),
            modulation.coarse.to(runtime.device, runtime.dtype),
        )
        self._fallbacks = set(snapshot.fallbacks)
        self._draws = snapshot.draws
        self._draws.resume(snapshot.draws_state)

    @stage("base crop")
    def _crop(
        self,
        image: Image,
        max_scale_change: float | None = None,
        place: tuple[Pair, np.float32] | None = None,
    ) -> Patch:
        """A search region at a center and a scale, which are those of the last state by default."""
        settings = self._settings
        center, scale = place or (self.state.position, self.state.scale)
        return sample_patch(
            image,
            center,
            float(scale),
            settings.image_sample_size,
            max_scale_change,
            settings.official.lost_subsampling_offset,
        )

    @torch.inference_mode()
    def search_pass(self) -> None:
        """See `alpharefine.types.NetworkTracker`."""
        side = self._settings.image_sample_size
        self._extract(np.zeros((1, side, side, 3), np.float32))

    @stage("base network")
    def _extract(self, crops: NDArray[np.float32]) -> OnlineFeatures:
        """Features for the classifier of all crops, for the box regressor of the first ones."""
        runtime = self._runtime
        batch = _CPU_BATCH if runtime.device.type == "cpu" else len(crops)
        parts: list[OnlineFeatures] = [
            self._features(self._input(crops[i : i + batch])) for i in range(0, len(crops), batch)
        ]
        if len(parts) == 1:
            return parts[0]
        classification = torch.cat([part.classification for part in parts])
        return OnlineFeatures(classification, parts[0].iou)

    def _first_samples(self, image: Image, center: Pair) -> tuple[OnlineFeatures, Tensor]:
        """Features of the augmented first frame, and float32 ones with those of dropped copies.

        Sets `init_shifts`, (y, x) of each sample in sample px.

        Args:
            image: the first frame.
            center: (y, x) of the expanded patch, image px.
        """
        settings, augmentation = self._settings, self._settings.augmentation
        size = settings.image_sample_size
        expanded = sample_patch(
            image, center, float(self.state.scale), expanded_size(augmentation, size)
        )
        uniform = self._draws.shifts(random_shift_count(augmentation)).numpy()
        shifts = sample_shifts(augmentation, size, uniform)
        features = self._extract(augment(expanded.pixels, shifts, augmentation, size))
        samples = features.classification.float()
        copies, share = augmentation.dropout_copies, augmentation.dropout_probability
        keep = self._draws.dropout_keep(copies, samples.shape[1], share)
        dropped = samples[:1] * (keep / (1 - share))[..., None, None].to(samples)
        self.init_shifts = shifts + [(0, 0)] * copies
        return features, torch.cat([samples, dropped])

    def _learn_extent(self, features: OnlineFeatures, box: Tensor) -> None:
        """Take the box regressor's modulation from the first sample."""
        iou = features.iou
        reference = IouFeatures(iou.fine[:1], iou.coarse[:1])
        self.modulation = self._features.box_regressor.modulation(
            reference, box[None].to(self._runtime.device)
        )

    def _update_position(self, position: Pair) -> None:
        inside = keep_inside(
            position, self.state.size, self._image_size, self._settings.target_inside_ratio
        )
        self.state = replace(self.state, position=inside)

    @stage("box ascent")
    def _refine_box(self, sample: Sample) -> None:
        config, device = self._settings.box_refinement, self._runtime.device
        box = sample.place.box_of(self.state)
        start = candidate_boxes(box, self._draws.boxes(config.random_boxes), config)
        values = BoxValues(
            self._box_head, sample.features.iou, self.modulation, device.type == "cpu"
        )
        candidates = ascend(values, start.to(device), config)
        self.trace = replace(self.trace, start_boxes=start, candidates=candidates)
        official = self._settings.official
        bound = None if official.unbounded_scale else sample.place.size
        best = best_box(candidates, config, bound)
        if best is not None:
            self._accept_box(best.cpu().numpy(), sample.place)
            return
        self._fallbacks.add(Fallback.BOX)
        if official.stale_position:
            self.state = replace(self.state, position=self._last_refined_position)

    def _accept_box(self, box: NDArray[np.float32], place: SamplePlace) -> None:
        """Take position and size from a box (x, y, w, h) in sample px."""
        official = self._settings.official
        top_left, size = box[1::-1], box[:1:-1]
        shrink = np.float32(0 if official.refinement_bias else 1)
        center = top_left + (size - shrink) / 2 - np.float32(place.size - 1) / 2
        position = np.asarray(center * place.scale + place.center, np.float32)
        size = np.asarray(size * place.scale, np.float32)
        if not official.unbounded_scale:
            size = np.asarray(np.minimum(size, self._image_size), np.float32)
        self.state = TargetState(position, size, scale_of(size, self.base_size))
        self._last_refined_position = position

    def _learn(self) -> None:
        """Learn the last frame, if that was not done yet."""
        if self._unlearned is not None:
            self._update_filter(*self._unlearned)
            self._unlearned = None
