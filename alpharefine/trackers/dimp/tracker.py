"""The DiMP tracker."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.errors import UsageError
from alpharefine.geometry.base_crop import Pair, Patch, sample_patch
from alpharefine.nets.dimp.filter_optimizer import apply_filter
from alpharefine.nets.dimp.network import DimpFeatures, DimpNet
from alpharefine.nets.iou.box_regressor import IouFeatures
from alpharefine.nets.iou.box_values import BoxHead, BoxValues
from alpharefine.nets.normalization import Normalization, network_input
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.dimp.config import DimpConfig
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
from alpharefine.trackers.online.draws import Draws, GeneratorDraws
from alpharefine.trackers.online.localization import Flag, Localization, localize
from alpharefine.trackers.online.memory import SampleMemory
from alpharefine.trackers.online.state import (
    TargetState,
    box_in_sample,
    keep_inside,
    pair,
    scale_of,
)
from alpharefine.types import Box, Estimate, Image


class Fallback(StrEnum):
    """What of a frame gave no usable numbers, so that the last state was kept."""

    SCORES = "score maps that are not finite"
    FILTER = "filter updates that are not finite"
    BOX = "box refinements without a usable box"


_CPU_BATCH = 1
"""Crops at a time: on a CPU more take more memory, and packed weights suit frames' single crops."""


@dataclass(frozen=True)
class FrameTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        patch: the search region.
        scores: score map.
        localization: decision.
        start_boxes: candidates before the ascent, K x 4, sample px; None if not refined.
        candidates: candidates after it.
        training_box: (x, y, w, h), sample px, of the sample put into memory; None if none was.
        learning_rate: its weight.
    """

    patch: Patch
    scores: NDArray[np.float32]
    localization: Localization
    start_boxes: Tensor | None = None
    candidates: RefinedCandidates | None = None
    training_box: Tensor | None = None
    learning_rate: float | None = None


@dataclass(frozen=True)
class DimpSnapshot:
    """The state of a run between two frames; see `DimpTracker` for the parts."""

    frame: int
    state: TargetState
    base_size: Pair
    last_refined_position: Pair
    memory: SampleMemory
    target_filter: Tensor
    modulation: IouFeatures
    fallbacks: frozenset[str]
    draws: Draws
    draws_state: Any


class DimpTracker:
    """DiMP: an online-optimized target filter finds the target, a box regressor its extent.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network; the filter is always optimized in float32.
        draws: random draws; by default from a generator that every `initialize` seeds anew.
        input_spec: what the network expects of its crops.

    Sources: Bhat et al. (DiMP), ICCV 2019; Danelljan et al. (PrDiMP), CVPR 2020.
    """

    state: TargetState
    trace: FrameTrace
    memory: SampleMemory
    target_filter: Tensor
    modulation: IouFeatures

    def __init__(
        self,
        network: DimpNet,
        config: DimpConfig,
        runtime: Runtime,
        draws: Draws | None = None,
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        self.config = config
        self._network = network
        self._box_head = BoxHead(network.box_regressor)
        self._runtime = runtime
        self._given_draws = draws
        self._normalization = Normalization(input_spec).to(runtime.device)

    @torch.inference_mode()
    def initialize(self, image: Image, target: Box) -> None:
        """Learn the target from the first frame.

        Raises:
            UsageError: the box is empty or not finite.
        """
        if not target.is_valid:
            raise UsageError(f"the initial box {tuple(target)} is empty or not finite")
        config = self.config
        self._draws = self._given_draws or GeneratorDraws(config.seed)
        self._fallbacks: set[str] = set()
        self._frame = 1
        self._unlearned: tuple[Patch, DimpFeatures, Flag] | None = None
        self._image_size = pair(*image.shape[:2])
        position = pair(target.y + (target.h - 1) / 2, target.x + (target.w - 1) / 2)
        size = pair(target.h, target.w)
        area = np.prod(size * np.float32(config.search_area_scale))
        scale = np.sqrt(area) / np.float32(config.image_sample_size)
        self.base_size = size / scale
        self.state = TargetState(position, size, scale)
        self._last_refined_position = position
        self._learn_target(image)

    @torch.inference_mode()
    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        self._frame += 1
        self._unlearned = None
        self._image_size = pair(*image.shape[:2])
        patch = self._search_patch(image)
        features = self._extract(patch.pixels[None])
        found = self._localize(features, patch)
        if found.flag is not Flag.NOT_FOUND:
            self._update_position(patch.center + found.translation)
            self._refine_box(patch, features)
            if found.flag is not Flag.UNCERTAIN:
                self._unlearned = (patch, features, found.flag)
                if not self.config.learn_settled:
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
        shrink = 0 if self.config.official.lost_target_drift else 1
        position = pair(box.y + (box.h - shrink) / 2, box.x + (box.w - shrink) / 2)
        size = pair(box.h, box.w)
        self.state = TargetState(position, size, scale_of(size, self.base_size))
        self._learn()

    def snapshot(self) -> DimpSnapshot:
        """See `alpharefine.types.ResumableTracker`."""
        return DimpSnapshot(
            self._frame,
            self.state,
            self.base_size,
            self._last_refined_position,
            self.memory.snapshot(),
            self.target_filter,
            self.modulation,
            frozenset(self._fallbacks),
            self._draws,
            self._draws.snapshot(),
        )

    def resume(self, snapshot: DimpSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        runtime, modulation = self._runtime, snapshot.modulation
        self._frame = snapshot.frame
        self.state = snapshot.state
        self.base_size = snapshot.base_size
        self._last_refined_position = snapshot.last_refined_position
        self.memory = snapshot.memory.to(runtime.device)
        self.target_filter = snapshot.target_filter.to(runtime.device)
        self.modulation = IouFeatures(
            modulation.fine.to(runtime.device, runtime.dtype),
            modulation.coarse.to(runtime.device, runtime.dtype),
        )
        self._fallbacks = set(snapshot.fallbacks)
        self._draws = snapshot.draws
        self._draws.resume(snapshot.draws_state)

    @stage("localize")
    def _localize(self, features: DimpFeatures, patch: Patch) -> Localization:
        maps = apply_filter(features.classification[None].float(), self.target_filter)
        scores = maps[0, 0].cpu().numpy()
        if np.isfinite(scores).all():
            state = self.state
            found = localize(
                scores,
                state.size,
                state.position,
                patch.center,
                patch.scale,
                self._network.stride,
                self.config.localization,
            )
        else:
            self._fallbacks.add(Fallback.SCORES)
            found = Localization(Flag.NOT_FOUND, pair(0, 0), 0.0)
        self.trace = FrameTrace(patch, scores, found)
        return found

    @stage("base crop")
    def _search_patch(self, image: Image) -> Patch:
        config = self.config
        return sample_patch(
            image,
            self.state.position,
            float(self.state.scale),
            config.image_sample_size,
            config.patch_max_scale_change,
            config.official.lost_subsampling_offset,
        )

    @stage("base network")
    def _extract(self, crops: NDArray[np.float32]) -> DimpFeatures:
        """Features for the classifier of all crops, for the box regressor of the first ones."""
        runtime = self._runtime
        batch = _CPU_BATCH if runtime.device.type == "cpu" else len(crops)
        parts: list[DimpFeatures] = [
            self._network(
                network_input(crops[i : i + batch], self._normalization).to(runtime.dtype)
            )
            for i in range(0, len(crops), batch)
        ]
        if len(parts) == 1:
            return parts[0]
        classification = torch.cat([part.classification for part in parts])
        return DimpFeatures(classification, parts[0].iou)

    def _learn_target(self, image: Image) -> None:
        config, state = self.config, self.state
        sample_position = np.rint(state.position)
        size, augmentation = config.image_sample_size, config.augmentation
        expanded = sample_patch(
            image, sample_position, float(state.scale), expanded_size(augmentation, size)
        )
        uniform = self._draws.shifts(random_shift_count(augmentation)).numpy()
        shifts = sample_shifts(augmentation, size, uniform)
        features = self._extract(augment(expanded.pixels, shifts, augmentation, size))
        box = self._to_sample(state, sample_position, state.scale)
        boxes = torch.stack([box + torch.tensor([dx, dy, 0.0, 0.0]) for dy, dx in shifts])
        samples = features.classification.float()
        samples = torch.cat([samples, self._dropped_copies(samples[:1])])
        boxes = torch.cat([boxes, boxes[:1].expand(augmentation.dropout_copies, 4)])
        self.init_shifts = shifts + [(0, 0)] * augmentation.dropout_copies
        self.memory = SampleMemory(samples, boxes.to(samples.device), config.memory)
        classifier = self._network.classifier
        initial = classifier.filter_initializer(
            samples[None].to(self._runtime.dtype), self.memory.boxes[None, : len(boxes)]
        )
        self.target_filter = torch.zeros_like(initial, dtype=torch.float32)
        self._accept_filter(initial.float())
        self._optimize_filter(config.net_opt_iter, first_frame=True)
        reference = IouFeatures(features.iou.fine[:1], features.iou.coarse[:1])
        self.modulation = self._network.box_regressor.modulation(reference, box[None].to(samples))

    def _dropped_copies(self, feature: Tensor) -> Tensor:
        config = self.config.augmentation
        keep = self._draws.dropout_keep(
            config.dropout_copies, feature.shape[1], config.dropout_probability
        )
        return feature * (keep / (1 - config.dropout_probability))[..., None, None].to(feature)

    def _to_sample(self, state: TargetState, position: Pair, scale: np.float32) -> Tensor:
        size = self.config.image_sample_size
        return torch.from_numpy(box_in_sample(state.position, state.size, position, scale, size))

    def _update_position(self, position: Pair) -> None:
        inside = keep_inside(
            position, self.state.size, self._image_size, self.config.target_inside_ratio
        )
        self.state = replace(self.state, position=inside)

    @stage("box ascent")
    def _refine_box(self, patch: Patch, features: DimpFeatures) -> None:
        config, device = self.config.box_refinement, self._runtime.device
        box = self._to_sample(self.state, patch.center, patch.scale)
        start = candidate_boxes(box, self._draws.boxes(config.random_boxes), config)
        values = BoxValues(self._box_head, features.iou, self.modulation, device.type == "cpu")
        candidates = ascend(values, start.to(device), config)
        self.trace = replace(self.trace, start_boxes=start, candidates=candidates)
        official = self.config.official
        bound = None if official.unbounded_scale else self.config.image_sample_size
        best = best_box(candidates, config, bound)
        if best is not None:
            self._accept_box(best.cpu().numpy(), patch)
            return
        self._fallbacks.add(Fallback.BOX)
        if official.stale_position:
            self.state = replace(self.state, position=self._last_refined_position)

    def _accept_box(self, box: NDArray[np.float32], patch: Patch) -> None:
        """Take position and size from a box (x, y, w, h) in sample px."""
        top_left, size = box[1::-1], box[:1:-1]
        shrink = np.float32(0 if self.config.official.refinement_bias else 1)
        sample_center = np.float32(self.config.image_sample_size - 1) / 2
        center = top_left + (size - shrink) / 2 - sample_center
        position = np.asarray(center * patch.scale + patch.center, np.float32)
        size = np.asarray(size * patch.scale, np.float32)
        if not self.config.official.unbounded_scale:
            size = np.asarray(np.minimum(size, self._image_size), np.float32)
        self.state = TargetState(position, size, scale_of(size, self.base_size))
        self._last_refined_position = position

    def _learn(self) -> None:
        """Learn the last frame, if it is to be learned and was not yet."""
        if self._unlearned is not None:
            self._update_filter(*self._unlearned)
            self._unlearned = None

    @stage("filter update")
    def _update_filter(self, patch: Patch, features: DimpFeatures, flag: Flag) -> None:
        config = self.config
        hard = flag is Flag.HARD_NEGATIVE
        memory = config.memory
        rate = memory.hard_negative_learning_rate if hard else memory.learning_rate
        box = self._to_sample(self.state, patch.center, patch.scale)
        self.trace = replace(self.trace, training_box=box, learning_rate=rate)
        self.memory.insert(features.classification.float(), box.to(self._runtime.device), rate)
        if hard:
            self._optimize_filter(config.net_opt_hn_iter)
        elif (self._frame - 1) % config.train_skipping == 0:
            self._optimize_filter(config.net_opt_update_iter)

    @stage("filter optimizer")
    def _optimize_filter(self, iterations: int, first_frame: bool = False) -> None:
        optimizer = self._network.classifier.filter_optimizer
        features, boxes, weights = self.memory.samples()
        k = self.target_filter.shape[-1]
        size = (features.shape[2] + 1 - k % 2, features.shape[3] + 1 - k % 2)
        objective = optimizer.objective(boxes[None], size, None if first_frame else weights[None])
        self._accept_filter(optimizer(self.target_filter, features[None], objective, iterations))

    def _accept_filter(self, target_filter: Tensor) -> None:
        """Take a new filter, unless it would spoil all scores to come."""
        if target_filter.isfinite().all():
            self.target_filter = target_filter
        else:
            self._fallbacks.add(Fallback.FILTER)
