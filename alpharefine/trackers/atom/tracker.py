"""The ATOM tracker."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.nets.atom.network import AtomParts
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.atom.classifier import (
    JointProblem,
    ScoreProblem,
    enlarge_scores,
    gaussian_labels,
    respond,
    update_filter,
)
from alpharefine.trackers.atom.config import AtomConfig
from alpharefine.trackers.online.draws import Draws
from alpharefine.trackers.online.localization import Flag, Localization, localize
from alpharefine.trackers.online.memory import SampleMemory
from alpharefine.trackers.online.state import Fallback, SamplePlace, pair
from alpharefine.trackers.online.tracker import FrameTrace, OnlineTracker, Sample
from alpharefine.types import Image

_KERNEL_OFFSET = 0.5
"""Cells that the middle of an even filter is off the middle of a cell."""


@dataclass(frozen=True)
class AtomTrace(FrameTrace):
    """As `FrameTrace`.

    Attributes:
        cell_scores: score map before its interpolation.
    """

    cell_scores: Tensor | None = None


@dataclass(frozen=True)
class Classifier:
    """Filter, projection, and what they are learned from.

    Attributes:
        memory: projected features and their labels.
        projection: C' x C.
        target_filter: C' x k x k.
        sigma: of the labels, cells.
    """

    memory: SampleMemory
    projection: Tensor
    target_filter: Tensor
    sigma: float


class AtomTracker(OnlineTracker):
    """ATOM: a classifier learned from nothing in each video, and the box regressor it introduced.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network; the classifier is always float32.
        draws: random draws; by default from a generator that every `initialize` seeds anew.
        input_spec: what the network expects of its crops.

    Source: Danelljan et al. (ATOM), CVPR 2019.
    """

    classifier: Classifier

    def __init__(
        self,
        network: AtomParts,
        config: AtomConfig,
        runtime: Runtime,
        draws: Draws | None = None,
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        super().__init__(network, config, runtime, draws, input_spec)
        self.config = config
        self._cells = config.image_sample_size // network.stride

    def _classifier_snapshot(self) -> Classifier:
        return replace(self.classifier, memory=self.classifier.memory.snapshot())

    def _resume_classifier(self, snapshot: Classifier) -> None:
        device = self._runtime.device
        self.classifier = Classifier(
            snapshot.memory.to(device),
            snapshot.projection.to(device),
            snapshot.target_filter.to(device),
            snapshot.sigma,
        )

    def _search(self, image: Image) -> Sample:
        patch, size = self._crop(image), self.config.image_sample_size
        place = SamplePlace(patch.center, patch.scale, size)
        if self.config.official.assumed_sample_place:
            place = SamplePlace(np.rint(self.state.position), self.state.scale, size)
        features = self._extract(patch.pixels[None])
        projected = self._project(features.classification.float(), self.classifier.projection)
        return Sample(patch, place, replace(features, classification=projected))

    @staticmethod
    def _project(features: Tensor, projection: Tensor) -> Tensor:
        return torch.einsum("oc,nchw->nohw", projection, features).contiguous()

    @stage("localize")
    def _localize(self, sample: Sample) -> Localization:
        place = sample.place
        scores = respond(sample.features.classification, self.classifier.target_filter)[0]
        fine: NDArray[np.float32] = enlarge_scores(scores, place.size).cpu().numpy()
        if np.isfinite(fine).all():
            # The position before counts as the middle of the sample.
            found = localize(
                fine,
                self.state.size,
                place.center,
                place.center,
                place.scale,
                1.0,
                self.config.localization,
                zero=place.size / 2,
            )
        else:
            self._fallbacks.add(Fallback.SCORES)
            found = Localization(Flag.NOT_FOUND, pair(0, 0), 0.0)
        self.trace = AtomTrace(sample.patch, fine, found, cell_scores=scores)
        return found

    def _learn_target(self, image: Image) -> None:
        config, state, device = self.config, self.state, self._runtime.device
        center = np.rint(state.position)
        cut_at = state.position if config.official.assumed_sample_place else center
        features, samples = self._first_samples(image, cut_at)
        place = SamplePlace(center, state.scale, config.image_sample_size)
        self._learn_extent(features, place.box_of(state))
        channels, side = config.channels, config.filter_size
        projection = self._draws.normal((channels, samples.shape[1]), samples.shape[1] ** -0.5)
        count = channels * side**2
        target_filter = self._draws.normal((1, channels, side, side), 1 / count)[0]
        root_area = float(np.sqrt(np.prod(self.base_size)))
        sigma = config.label_sigma * root_area * self._cells / config.image_sample_size
        labels = self._labels(place, torch.tensor(self.init_shifts), sigma)
        weights = torch.full((len(samples),), 1 / len(samples), device=device)
        problem = JointProblem(
            ScoreProblem(samples, labels, weights, config.response_floor),
            (config.filter_regularization, config.projection_regularization),
        )
        target_filter, projection = self._learn_jointly(
            problem, target_filter.to(device), projection.to(device)
        )
        memory = SampleMemory(self._project(samples, projection), labels, config.memory)
        self.classifier = Classifier(memory, projection, target_filter, sigma)

    @stage("filter optimizer")
    def _learn_jointly(
        self, problem: JointProblem, target_filter: Tensor, projection: Tensor
    ) -> tuple[Tensor, Tensor]:
        for _ in range(self.config.initial_steps):
            found = problem.step(target_filter, projection, self.config.initial_descents)
            if not all(bool(part.isfinite().all()) for part in found):
                self._fallbacks.add(Fallback.FILTER)
                break
            target_filter, projection = found
        return target_filter, projection

    def _labels(self, place: SamplePlace, shifts: Tensor, sigma: float) -> Tensor:
        """Wanted scores of samples.

        Args:
            place: of the sample that is not shifted.
            shifts: (y, x) of the content, N x 2 sample px.
            sigma: cells.
        """
        offset = (self.state.position - place.center) / place.scale
        pixels = torch.from_numpy(offset) + shifts
        centers = pixels * (self._cells / place.size) + _KERNEL_OFFSET
        return gaussian_labels(centers.float().to(self._runtime.device), sigma, self._cells)

    @stage("filter update")
    def _update_filter(self, sample: Sample, flag: Flag) -> None:
        config, classifier = self.config, self.classifier
        hard = flag is Flag.HARD_NEGATIVE
        if hard or flag is Flag.NORMAL:
            memory = config.memory
            rate = memory.hard_negative_learning_rate if hard else memory.learning_rate
            label = self._labels(sample.place, torch.zeros(1, 2), classifier.sigma)[0]
            slot = classifier.memory.insert(sample.features.classification, label, rate)
            self.trace = replace(self.trace, training_target=label, learning_rate=rate, slot=slot)
        if hard or (self._frame - 1) % config.train_skipping == 0:
            self._optimize_filter()

    @stage("filter optimizer")
    def _optimize_filter(self) -> None:
        config, classifier = self.config, self.classifier
        problem = ScoreProblem(*classifier.memory.samples(), config.response_floor)
        found = update_filter(
            classifier.target_filter, problem, config.filter_regularization, config.update_descents
        )
        if found.isfinite().all():
            self.classifier = replace(classifier, target_filter=found)
        else:
            self._fallbacks.add(Fallback.FILTER)
