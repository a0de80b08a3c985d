"""The ECO tracker."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.geometry.base_crop import Pair, Patch, sample_patch
from alpharefine.inputs import check_initial_box
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.ops.fourier import sample_series, shift_series
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.eco.classifier import (
    Fixed,
    JointProblem,
    filter_scale,
    principal_directions,
    projection_scale,
    symmetric,
    update_filter,
)
from alpharefine.trackers.eco.config import EcoConfig, FeatureConfig
from alpharefine.trackers.eco.spectra import spectra_of
from alpharefine.trackers.online.augmentation import (
    augment,
    random_shift_count,
    sample_shifts,
)
from alpharefine.trackers.online.config import MemoryConfig
from alpharefine.trackers.online.conjugate_gradient import Directions
from alpharefine.trackers.online.draws import Draws, GeneratorDraws
from alpharefine.trackers.online.localization import peak
from alpharefine.trackers.online.memory import SampleMemory
from alpharefine.trackers.online.state import (
    Fallback,
    SamplePlace,
    TargetState,
    keep_inside,
    pair,
    scale_of,
)
from alpharefine.types import Box, Estimate, Image

_LEAST_SIDE = 10
"""Of a target, image px."""


class EcoFeatures(Protocol):
    """What gives shallow and deep features; their map sides divide the crop's."""

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of normalized crops, N x 3 x S x S, the finer ones first."""
        ...


@dataclass(frozen=True)
class FrameTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        places: of the samples of all scales.
        scores: of all scales, scales x N x N; no translation is in the corner.
        best_scale: number of it.
        best_position: (row, column) of its peak.
        translation: (y, x), image px.
        slots: of the frame's sample in the features' memories.
    """

    places: tuple[SamplePlace, ...]
    scores: NDArray[np.float32]
    best_scale: int = 0
    best_position: tuple[int, int] = (0, 0)
    translation: Pair | None = None
    slots: tuple[int, ...] = ()


@dataclass(frozen=True)
class FilterState:
    """What is learned of one feature.

    Attributes:
        fixed: what stays.
        memory: series of projected samples.
        target_filter: C' x rows x columns complex.
        energy: mean squares of samples, C' x rows x columns.
        directions: of the last update; None before one.
    """

    fixed: Fixed
    memory: SampleMemory
    target_filter: Tensor
    energy: Tensor
    directions: Directions | None = None

    def to(self, device: torch.device) -> "FilterState":
        """A snapshot on a device."""
        last = self.directions
        if last is not None:
            last = Directions(
                tuple(part.to(device) for part in last.direction),
                tuple(part.to(device) for part in last.residual),
                last.rho.to(device),
            )
        return FilterState(
            self.fixed.to(device),
            self.memory.to(device),
            self.target_filter.to(device),
            self.energy.to(device),
            last,
        )


@dataclass(frozen=True)
class EcoSnapshot:
    """The state of a run between two frames; see `EcoTracker` for the parts."""

    frame: int
    state: TargetState
    base_size: Pair
    sample_size: int
    filters: tuple[FilterState, ...]
    fallbacks: frozenset[str]
    draws: Draws
    draws_state: Any


class EcoTracker:
    """ECO: factorized filters on features of two resolutions, learned in the Fourier domain.

    Its target keeps the aspect ratio of the first frame. Confidence is the peak of the scores.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network; filters are always float32.
        draws: random draws; by default from a generator that every `initialize` seeds anew.
        input_spec: what the network expects of its crops.

    Attributes:
        filters: of the shallow and of the deep feature.

    Source: Danelljan et al. (ECO), CVPR 2017.
    """

    state: TargetState
    trace: FrameTrace
    filters: tuple[FilterState, ...]

    def __init__(
        self,
        network: EcoFeatures,
        config: EcoConfig,
        runtime: Runtime,
        draws: Draws | None = None,
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        self.config = config
        self._network = network
        self._runtime = runtime
        self._given_draws = draws
        self._input = CropInput(input_spec, runtime.device, runtime.dtype)
        reach = config.scales // 2
        self._factors = [config.scale_step**k for k in range(-reach, reach + 1)]

    @torch.inference_mode()
    def initialize(self, image: Image, target: Box) -> None:
        """Learn the target from the first frame.

        Raises:
            UsageError: the box is empty or not finite.
        """
        check_initial_box(target)
        self._draws = self._given_draws or GeneratorDraws(self.config.seed)
        self._fallbacks: set[str] = set()
        self._frame = 1
        self._image_size = pair(*image.shape[:2])
        position = pair(target.y + (target.h - 1) / 2, target.x + (target.w - 1) / 2)
        size = pair(target.h, target.w)
        scale = self._first_scale(size)
        self.base_size = size / scale
        self.state = TargetState(position, size, scale)
        side = round(self._search_side(self.base_size))
        # An odd multiple of 16, so that the middle of deep features is a cell.
        self.sample_size = side + 16 - side % 32
        self._learn_target(image)

    @torch.inference_mode()
    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        self._frame += 1
        self._image_size = pair(*image.shape[:2])
        places, series = self._search(image)
        scores = self._score(series)
        self.trace = FrameTrace(places, scores)
        lost = not np.isfinite(scores).all()
        confidence = 0.0
        if lost:
            self._fallbacks.add(Fallback.SCORES)
        else:
            confidence = self._localize()
            self._remember(series)
        if (self._frame - 1) % self.config.train_skipping == 0:
            self._update_filters(None if lost else series)
        fallbacks = frozenset(self._fallbacks)
        self._fallbacks.clear()
        return Estimate(self.state.box, None, confidence, lost, fallbacks=fallbacks)

    def set_state(self, box: Box) -> None:
        """Continue from `box` (image px); the next frame keeps its area and place."""
        shrink = 0 if self.config.official.lost_target_drift else 1
        position = pair(box.y + (box.h - shrink) / 2, box.x + (box.w - shrink) / 2)
        size = pair(box.h, box.w)
        self.state = TargetState(position, size, scale_of(size, self.base_size))

    def snapshot(self) -> EcoSnapshot:
        """See `alpharefine.types.ResumableTracker`."""
        filters = tuple(replace(each, memory=each.memory.snapshot()) for each in self.filters)
        return EcoSnapshot(
            self._frame,
            self.state,
            self.base_size,
            self.sample_size,
            filters,
            frozenset(self._fallbacks),
            self._draws,
            self._draws.snapshot(),
        )

    def resume(self, snapshot: EcoSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        self._frame = snapshot.frame
        self.state = snapshot.state
        self.base_size = snapshot.base_size
        self.sample_size = snapshot.sample_size
        self.filters = tuple(each.to(self._runtime.device) for each in snapshot.filters)
        self._fallbacks = set(snapshot.fallbacks)
        self._draws = snapshot.draws
        self._draws.resume(snapshot.draws_state)

    def _search_side(self, size: Pair) -> np.float32:
        return np.sqrt(np.prod(size * np.float32(self.config.search_area_scale)))

    def _first_scale(self, size: Pair) -> np.float32:
        """Image pixels per sample pixel, 1 where the search area is neither small nor large."""
        side = self._search_side(size)
        shortest, longest = self.config.sample_sizes
        return np.float32(side / np.clip(side, shortest, longest))

    @stage("base crop")
    def _patch(self, image: Image, scale: float) -> tuple[Patch, SamplePlace]:
        official = self.config.official
        patch = sample_patch(
            image,
            self.state.position,
            scale,
            self.sample_size,
            forget_offset=official.lost_subsampling_offset,
        )
        place = SamplePlace(patch.center, patch.scale, self.sample_size)
        if official.assumed_sample_place:
            center = np.rint(self.state.position)
            place = SamplePlace(center, np.float32(scale), self.sample_size)
        return patch, place

    @stage("base network")
    def _extract(self, crops: NDArray[np.float32]) -> tuple[Tensor, ...]:
        """Features of crops, one by one: packed weights are for single ones."""
        parts = [self._network(self._input(crops[i : i + 1])) for i in range(len(crops))]
        return tuple(torch.cat(part).float() for part in zip(*parts, strict=True))

    def _learn_target(self, image: Image) -> None:
        config, augmentation, size = self.config, self.config.augmentation, self.sample_size
        patch, place = self._patch(image, float(self.state.scale))
        uniform = self._draws.shifts(random_shift_count(augmentation)).numpy()
        shifts = sample_shifts(augmentation, size, uniform)
        features = self._extract(augment(patch.pixels, shifts, augmentation, size))
        shifts = shifts + [(0, 0)] * augmentation.dropout_copies
        offset = (self.state.position - place.center) / (place.scale * size)
        moves = [(dy / size + offset[0], dx / size + offset[1]) for dy, dx in shifts]
        self.filters = tuple(
            self._first_filter(self._with_dropped(each), moves, part)
            for each, part in zip(features, (config.shallow, config.deep), strict=True)
        )

    def _with_dropped(self, features: Tensor) -> Tensor:
        """Samples and copies of the first one with dropped channels."""
        config = self.config.augmentation
        copies, share = config.dropout_copies, config.dropout_probability
        keep = self._draws.dropout_keep(copies, features.shape[1], share).to(features)
        return torch.cat([features, features[:1] * (keep / (1 - share))[..., None, None]])

    @stage("filter optimizer")
    def _first_filter(
        self, features: Tensor, moves: list[tuple[float, float]], part: FeatureConfig
    ) -> FilterState:
        """Learn filter and projection of one feature.

        Args:
            features: N x C x n x n of the first frame's samples.
            moves: (y, x) of the content of each, in sample sides.
            part: configuration of the feature.
        """
        config, device = self.config, self._runtime.device
        base = (float(self.base_size[0]), float(self.base_size[1]))
        spectra = spectra_of(features.shape[-1], self.sample_size, base, part).to(device)
        projection = principal_directions(features, part.channels)
        fixed = Fixed(part, spectra, projection)
        series = torch.stack(
            [
                shift_series(each, move)
                for each, move in zip(spectra.transform(features), moves, strict=True)
            ]
        )
        energy = _project(series, projection).abs().square().mean(0)
        problem = JointProblem(
            series.flatten(2).permute(2, 0, 1).contiguous(),
            spectra.label,
            fixed.penalty,
            (
                filter_scale(energy, spectra.penalty, config),
                projection_scale(spectra.label, features.shape[1], config),
            ),
            config.projection_regularization,
        )
        target_filter, projection = self._learn_jointly(
            problem, torch.zeros_like(energy, dtype=series.dtype), projection
        )
        samples = _project(series, projection)
        memory = SampleMemory(
            samples,
            energy.new_zeros(len(samples), 0),
            MemoryConfig(config.capacity, part.learning_rate, 0.0, 0.0, keep_initial=False),
        )
        return FilterState(
            replace(fixed, projection=projection), memory, symmetric(target_filter), energy
        )

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

    def _search(self, image: Image) -> tuple[tuple[SamplePlace, ...], tuple[Tensor, ...]]:
        """Places of the samples of all scales, and series of their features."""
        scale = float(self.state.scale)
        found = [self._patch(image, scale * factor) for factor in self._factors]
        features = self._extract(np.stack([patch.pixels for patch, _ in found]))
        series = tuple(
            state.fixed.transform(each) for state, each in zip(self.filters, features, strict=True)
        )
        return tuple(place for _, place in found), series

    @stage("localize")
    def _score(self, series: tuple[Tensor, ...]) -> NDArray[np.float32]:
        total, deep = (
            state.fixed.config.score_weight * torch.einsum("ncyx,cyx->nyx", x, state.target_filter)
            for state, x in zip(self.filters, series, strict=True)
        )
        rows, columns = deep.shape[1:]
        first = (total.shape[1] - rows) // 2
        total[:, first : first + rows, :columns] += deep
        scores: NDArray[np.float32] = sample_series(total, self.sample_size).cpu().numpy()
        return scores

    def _localize(self) -> float:
        """Move to the highest score of all scales; the score."""
        scores, size = self.trace.scores, self.sample_size
        highest = scores.max((1, 2))
        best = int(highest.argmax())
        position, _ = peak(scores[best])
        place = self.trace.places[best]
        moved = np.mod(position + size / 2, size) - size / 2
        translation = np.asarray(moved * place.scale, np.float32)
        scale = self._limited(self.state.scale * np.float32(self._factors[best]))
        target_size = self.base_size * scale
        inside = keep_inside(
            place.center + translation,
            target_size,
            self._image_size,
            self.config.target_inside_ratio,
        )
        self.state = TargetState(inside, target_size, scale)
        row, column = map(int, position)
        self.trace = replace(
            self.trace, best_scale=best, best_position=(row, column), translation=translation
        )
        return float(highest[best])

    def _limited(self, scale: np.float32) -> np.float32:
        least = (np.float32(_LEAST_SIDE) / self.base_size).max()
        largest = (self._image_size / self.base_size).min()
        return np.float32(min(max(scale, least), largest))

    @stage("filter update")
    def _remember(self, series: tuple[Tensor, ...]) -> None:
        """Put the best scale's sample into the memories, its target in the middle."""
        best = self.trace.best_scale
        place = self.trace.places[best]
        move = (self.state.position - place.center) / (place.scale * place.size)
        slots = []
        for state, each in zip(self.filters, series, strict=True):
            moved = shift_series(each[best : best + 1], (float(move[0]), float(move[1])))
            slots.append(state.memory.insert(moved, state.energy.new_zeros(0), self._rate(state)))
        self.trace = replace(self.trace, slots=tuple(slots))

    @staticmethod
    def _rate(state: FilterState) -> float:
        return state.fixed.config.learning_rate

    @stage("filter optimizer")
    def _update_filters(self, series: tuple[Tensor, ...] | None) -> None:
        filters = []
        for number, state in enumerate(self.filters):
            if series is not None:
                sample = series[number][self.trace.best_scale]
                rate = self._rate(state)
                energy = (1 - rate) * state.energy + rate * sample.abs().square()
                state = replace(state, energy=energy)
            filters.append(self._updated(state))
        self.filters = tuple(filters)

    def _updated(self, state: FilterState) -> FilterState:
        samples, _, weights = state.memory.samples()
        fixed = state.fixed
        scale = filter_scale(state.energy, fixed.spectra.penalty, self.config)
        found, directions = update_filter(
            state.target_filter,
            samples,
            weights,
            fixed.spectra.label,
            fixed.penalty,
            scale,
            state.directions,
            self.config,
        )
        if not found.isfinite().all():
            self._fallbacks.add(Fallback.FILTER)
            return state
        return replace(state, target_filter=symmetric(found), directions=directions)


def _project(series: Tensor, projection: Tensor) -> Tensor:
    """N x C x rows x columns -> N x C' x rows x columns."""
    return torch.einsum("ncyx,cd->ndyx", series, projection.to(series.dtype)).contiguous()
