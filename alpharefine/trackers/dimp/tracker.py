"""The DiMP tracker."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.geometry.base_crop import Pair, Patch
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.ops.target_filter import apply_filter
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.online.draws import Draws
from alpharefine.trackers.online.localization import Flag, Localization, localize
from alpharefine.trackers.online.memory import SampleMemory
from alpharefine.trackers.online.state import Fallback, SamplePlace, pair
from alpharefine.trackers.online.tracker import FrameTrace, OnlineTracker, Sample
from alpharefine.types import Image


class DimpTracker(OnlineTracker):
    """DiMP: an online-optimized target filter finds the target, a box regressor its extent.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network; the filter is always optimized in float32.
        draws: random draws; by default from a generator that every `initialize` seeds anew.
        input_spec: what the network expects of its crops.

    Sources: Bhat et al. (DiMP), ICCV 2019; Danelljan et al. (PrDiMP), CVPR 2020.
    """

    memory: SampleMemory
    target_filter: Tensor

    def __init__(
        self,
        network: DimpNet,
        config: DimpConfig,
        runtime: Runtime,
        draws: Draws | None = None,
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        super().__init__(network, config, runtime, draws, input_spec)
        self.config = config
        self._network = network

    def _classifier_snapshot(self) -> tuple[SampleMemory, Tensor]:
        return self.memory.snapshot(), self.target_filter

    def _resume_classifier(self, snapshot: tuple[SampleMemory, Tensor]) -> None:
        memory, target_filter = snapshot
        self.memory = memory.to(self._runtime.device)
        self.target_filter = target_filter.to(self._runtime.device)

    @torch.inference_mode()
    def usual_sample(self, image: Image) -> Sample:
        """The search region that `track` would look into."""
        return self._sample(self._crop(image, self.config.patch_max_scale_change))

    def _search(self, image: Image) -> Sample:
        return self.usual_sample(image)

    @torch.inference_mode()
    def sample_at(self, image: Image, center: Pair, scale: np.float32) -> Sample:
        """A search region for `track_in`, of this tracker and of any that shares its network.

        Args:
            image: the frame.
            center: (y, x), image px; moved so that the region lies in the image, if it can.
            scale: image pixels per sample pixel.
        """
        bound = None if self.config.patch_max_scale_change is None else 1.0
        return self._sample(self._crop(image, bound, (center, scale)))

    @torch.inference_mode()
    def peak_in(self, sample: Sample) -> float:
        """Highest score of the target in a search region; not a number if one is none."""
        return float(self._scores(sample).max())

    def _sample(self, patch: Patch) -> Sample:
        place = SamplePlace(patch.center, patch.scale, self.config.image_sample_size)
        return Sample(patch, place, self._extract(patch.pixels[None]))

    def _scores(self, sample: Sample) -> NDArray[np.float32]:
        features = sample.features.classification[None].float()
        scores: NDArray[np.float32] = apply_filter(features, self.target_filter)[0, 0].cpu().numpy()
        return scores

    @stage("localize")
    def _localize(self, sample: Sample) -> Localization:
        scores = self._scores(sample)
        if np.isfinite(scores).all():
            state, place = self.state, sample.place
            found = localize(
                scores,
                state.size,
                state.position,
                place.center,
                place.scale,
                self._network.stride,
                self.config.localization,
            )
        else:
            self._fallbacks.add(Fallback.SCORES)
            found = Localization(Flag.NOT_FOUND, pair(0, 0), 0.0)
        self.trace = FrameTrace(sample.patch, scores, found)
        return found

    def _learn_target(self, image: Image) -> None:
        config, state = self.config, self.state
        center = np.rint(state.position)
        features, samples = self._first_samples(image, center)
        box = SamplePlace(center, state.scale, config.image_sample_size).box_of(state)
        boxes = torch.stack([box + torch.tensor([x, y, 0.0, 0.0]) for y, x in self.init_shifts])
        self.memory = SampleMemory(samples, boxes.to(samples.device), config.memory)
        classifier = self._network.classifier
        initial = classifier.filter_initializer(
            samples[None].to(self._runtime.dtype), self.memory.targets[None, : len(boxes)]
        )
        self.target_filter = torch.zeros_like(initial, dtype=torch.float32)
        self._accept_filter(initial.float())
        self._optimize_filter(config.net_opt_iter, first_frame=True)
        self._learn_extent(features, box)

    @stage("filter update")
    def _update_filter(self, sample: Sample, flag: Flag) -> None:
        if flag not in (Flag.NORMAL, Flag.HARD_NEGATIVE):
            return
        config = self.config
        hard = flag is Flag.HARD_NEGATIVE
        memory = config.memory
        rate = memory.hard_negative_learning_rate if hard else memory.learning_rate
        box = sample.place.box_of(self.state)
        feature = sample.features.classification.float()
        slot = self.memory.insert(feature, box.to(self._runtime.device), rate)
        self.trace = replace(self.trace, training_target=box, learning_rate=rate, slot=slot)
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
