"""NaN and infinity from any part of a tracker: the last state is kept, counted, and recovered."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from alpharefine.nets.dimp.filter_optimizer import FilterOptimizer
from alpharefine.nets.iou.box_values import BoxValues
from alpharefine.nets.iou.features import OnlineFeatures
from alpharefine.nets.refine.network import RefineOutput
from alpharefine.refinement.config import CouplingConfig
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.refinement.refiner import Fallback as Refined
from alpharefine.refinement.refiner import Refiner
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.online.box_refinement import RefinedCandidates, best_box
from alpharefine.trackers.online.config import BoxRefinementConfig
from alpharefine.trackers.online.state import Fallback
from alpharefine.types import Box, Estimate
from tests.refinement.stubs import ScriptedBase
from tests.reliability.moving_patch import TARGET, frames
from tests.reliability.random_networks import CPU, EVERYTHING_RUNS, network, refine_network

FAULTY = 3
BROKEN = pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])


def base_tracker() -> DimpTracker:
    config = DimpConfig(image_sample_size=160, search_area_scale=4.0)
    config = replace(config, **EVERYTHING_RUNS)
    return DimpTracker(network(), config, CPU)


def run(tracker, before: Callable[[int], object] = lambda _: None) -> list[Estimate]:
    """Track all frames; `before` is told the number of each, 0 for the initialization."""
    before(0)
    tracker.initialize(frames()[0], TARGET)
    estimates = []
    for number, image in enumerate(frames()[1:], start=1):
        before(number)
        estimates.append(tracker.track(image))
    return estimates


class Fault:
    """Spoils what a function answers, in one frame or from one on."""

    def __init__(self, spoil: Callable, only: range) -> None:
        self.spoil, self.only, self.frame = spoil, only, 0

    def __call__(self, frame: int) -> None:
        self.frame = frame

    def around(self, function: Callable) -> Callable:
        def spoiled(*args, **options):
            answer = function(*args, **options)
            return self.spoil(answer) if self.frame in self.only else answer

        return spoiled


def one_cell(value: float) -> Callable[[OnlineFeatures], OnlineFeatures]:
    def spoil(features: OnlineFeatures) -> OnlineFeatures:
        broken = features.classification.clone()
        broken[0, 3, 4, 5] = value
        return replace(features, classification=broken)

    return spoil


@BROKEN
def test_broken_features_keep_the_last_box_and_the_filter(value: float) -> None:
    tracker = base_tracker()
    fault = Fault(one_cell(value), range(FAULTY, FAULTY + 1))
    tracker._extract = fault.around(tracker._extract)  # type: ignore[method-assign]
    seen = []

    def before(frame: int) -> None:
        fault(frame)
        seen.append(tracker.target_filter.clone() if frame else None)

    estimates = run(tracker, before)
    broken = estimates[FAULTY - 1]
    assert broken.box == estimates[FAULTY - 2].box
    assert (broken.lost, broken.confidence) == (True, 0.0)
    assert [e.fallbacks for e in estimates] == [
        frozenset([Fallback.SCORES] if k == FAULTY else []) for k in range(1, 6)
    ]
    assert torch.equal(seen[FAULTY], seen[FAULTY + 1])
    # The memory has taken nothing of it, and the next frame is tracked again.
    assert tracker.memory.samples()[0].isfinite().all()
    assert estimates[FAULTY].box != broken.box


@BROKEN
def test_broken_features_of_the_first_frame_keep_the_target(value: float) -> None:
    tracker = base_tracker()
    fault = Fault(one_cell(value), range(0, 1))
    tracker._extract = fault.around(tracker._extract)  # type: ignore[method-assign]
    estimates = run(tracker, fault)
    assert Fallback.FILTER in estimates[0].fallbacks
    assert tracker.target_filter.isfinite().all()
    assert all(np.isfinite(estimate.box).all() for estimate in estimates)


@BROKEN
@pytest.mark.parametrize("only", [range(0, 1), range(FAULTY, FAULTY + 1), range(0, 9)])
def test_a_broken_filter_update_keeps_the_filter(
    monkeypatch: pytest.MonkeyPatch, value: float, only: range
) -> None:
    fault = Fault(lambda answer: answer * value, only)
    monkeypatch.setattr(FilterOptimizer, "forward", fault.around(FilterOptimizer.forward))
    tracker = base_tracker()
    estimates = run(tracker, fault)
    assert tracker.target_filter.isfinite().all()
    assert all(e.box.is_valid for e in estimates)
    told = [k for k, e in enumerate(estimates, start=1) if Fallback.FILTER in e.fallbacks]
    # What the initialization left out is told with the first answer.
    assert told == sorted({max(k, 1) for k in only} & set(range(1, 6)))


@BROKEN
@pytest.mark.parametrize("part", [0, 1], ids=["values", "gradients"])
def test_a_broken_box_refinement_keeps_the_size(
    monkeypatch: pytest.MonkeyPatch, part: int, value: float
) -> None:
    def spoil(answer: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return tuple(v * value if k == part else v for k, v in enumerate(answer))  # type: ignore[return-value]

    fault = Fault(spoil, range(FAULTY, FAULTY + 1))
    monkeypatch.setattr(BoxValues, "__call__", fault.around(BoxValues.__call__))
    estimates = run(base_tracker(), fault)
    before, broken = estimates[FAULTY - 2], estimates[FAULTY - 1]
    assert (broken.box.w, broken.box.h) == pytest.approx((before.box.w, before.box.h))
    assert [Fallback.BOX in e.fallbacks for e in estimates] == [k == FAULTY for k in range(1, 6)]
    assert all(e.box.is_valid for e in estimates)


def candidates(*boxes: tuple[float, float, float, float]) -> RefinedCandidates:
    return RefinedCandidates(torch.tensor(boxes), torch.linspace(1, 0, len(boxes)))


GOOD = (20.0, 30.0, 40.0, 30.0)


@pytest.mark.parametrize(
    "box",
    [
        (math.nan, 30.0, 40.0, 30.0),
        (20.0, 30.0, math.inf, 30.0),
        (20.0, 30.0, 40.0, -30.0),
        (20.0, 30.0, 100.0, 10.0),
        (-90.0, 30.0, 40.0, 30.0),
        (20.0, 1e30, 40.0, 30.0),
    ],
    ids=["nan", "inf", "inverted", "aspect", "outside", "far"],
)
def test_unusable_candidates_are_left_out(box: tuple[float, float, float, float]) -> None:
    assert best_box(candidates(box), BoxRefinementConfig(), 160) is None
    best = best_box(candidates(box, GOOD), BoxRefinementConfig(), 160)
    assert best is not None
    assert tuple(best.tolist()) == GOOD


def test_parity_mode_keeps_boxes_outside_the_search_region() -> None:
    outside = candidates((-90.0, 30.0, 40.0, 30.0))
    assert best_box(outside, BoxRefinementConfig(), None) is not None
    assert best_box(outside, BoxRefinementConfig(), 352) is None


def refined(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[RefineOutput], RefineOutput]
) -> list[Estimate]:
    """Answers of a refined tracker whose network's output is spoilt in one frame."""
    refiner = Refiner(refine_network(), CPU)
    fault = Fault(spoil, range(FAULTY, FAULTY + 1))
    monkeypatch.setattr(refiner.network, "search", fault.around(refiner.network.search))
    config = CouplingConfig(feedback="refined_if_found")
    return run(RefinedTracker(base_tracker(), refiner, config), fault)


@BROKEN
def test_broken_corners_answer_the_mask_or_the_base_box(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    estimates = refined(monkeypatch, lambda out: out._replace(corners=out.corners * value))
    told = [Refined.BOX in e.fallbacks for e in estimates]
    assert told[FAULTY - 1]
    assert all(e.box.is_valid for e in estimates)


@pytest.mark.parametrize(
    "corners", [(200.0, 50.0, 20.0, 90.0), (100.0, 90.0, 120.0, 20.0), (50.0, 50.0, 50.1, 50.1)]
)
def test_inverted_and_tiny_refined_boxes_are_rejected(
    monkeypatch: pytest.MonkeyPatch, corners: tuple[float, ...]
) -> None:
    estimates = refined(
        monkeypatch, lambda out: out._replace(corners=torch.tensor([corners]), direct=None)
    )
    assert Refined.BOX in estimates[FAULTY - 1].fallbacks
    assert min(min(e.box.w, e.box.h) for e in estimates) >= 1


def test_a_broken_mask_answers_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(out: RefineOutput) -> RefineOutput:
        logits = out.mask_logits.clone()  # type: ignore[union-attr]
        logits[0, 0, 7, 9] = math.nan
        return out._replace(mask_logits=logits)

    estimates = refined(monkeypatch, spoil)
    assert [e.mask is None for e in estimates] == [k == FAULTY for k in range(1, 6)]
    assert [Refined.MASK in e.fallbacks for e in estimates] == [k == FAULTY for k in range(1, 6)]
    assert estimates[FAULTY - 1].box.is_valid


def test_a_broken_kernel_answers_the_base_box_in_every_frame() -> None:
    refiner = Refiner(refine_network(), CPU)
    tracker = RefinedTracker(base_tracker(), refiner, CouplingConfig())
    tracker.initialize(frames()[0], TARGET)
    assert refiner._kernel is not None
    refiner._kernel = refiner._kernel * math.nan
    for image in frames()[1:]:
        estimate = tracker.track(image)
        # A fused ReLU may turn NaN into 0, so that the mask is merely a bad one.
        assert Refined.BOX in estimate.fallbacks
        assert estimate.box.is_valid


@BROKEN
@pytest.mark.parametrize("field", ["x", "h"])
def test_a_foreign_base_tracker_that_answers_no_numbers(value: float, field: str) -> None:
    base = ScriptedBase(TARGET)
    tracker = RefinedTracker(base, Refiner(refine_network(), CPU))
    tracker.initialize(frames()[0], TARGET)
    tracker.track(frames()[1])
    base.box = TARGET._replace(**{field: value})
    estimate = tracker.track(frames()[2])
    assert "boxes of the base tracker that are not finite" in estimate.fallbacks
    assert estimate.lost
    assert base.states[-1] == TARGET


def test_a_box_too_large_to_be_refined_is_answered_as_it_is() -> None:
    """A frame of 9000 x 9000 in mid-sequence: no crop of twice its size is cut."""
    base = ScriptedBase(TARGET)
    tracker = RefinedTracker(base, Refiner(refine_network(), CPU))
    tracker.initialize(frames()[0], TARGET)
    base.box = Box(0, 0, 9000, 9000)
    estimate = tracker.track(np.zeros((9000, 9000, 3), np.uint8))
    assert estimate.fallbacks == {Refined.CROP}
    assert (estimate.box, estimate.mask) == (base.box, None)
