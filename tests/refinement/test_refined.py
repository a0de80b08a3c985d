import math
from dataclasses import replace
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import clip_box
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.official import CORRECTED, OFFICIAL
from alpharefine.refinement.config import CouplingConfig, RefinerConfig
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.refinement.refiner import Refiner
from alpharefine.runtime import resolve_runtime
from alpharefine.types import Box, Tracker
from tests.refinement.stubs import SIZE, FixedNetwork, ScriptedBase

IMAGE = np.zeros((90, 120, 3), np.uint8)
TARGET = Box(40, 30, 20, 16)
BASE_BOX = Box(50, 40, 10, 12)
CENTRE = (SIZE / 4, SIZE / 4, SIZE / 2, SIZE / 2)
REFINED_BOX = Box(50, 40, 5, 6)
MASK_BOX = Box(45, 34, 10, 24)
INVERTED = (SIZE / 2, SIZE / 2, SIZE / 4, SIZE / 4)


def _tracker(
    base: ScriptedBase,
    corners: tuple[float, float, float, float] = CENTRE,
    mask: bool = True,
    config: CouplingConfig = CouplingConfig(),
    share: float = 0.5,
) -> RefinedTracker:
    network = cast(RefineNetwork, FixedNetwork(corners, mask))
    tracker = RefinedTracker(
        base, Refiner(network, resolve_runtime("cpu"), RefinerConfig(reference_share=share)), config
    )
    tracker.initialize(IMAGE, TARGET)
    return tracker


def test_is_a_tracker_and_answers_the_refined_target() -> None:
    base = ScriptedBase(BASE_BOX, ambiguous=True)
    tracker: Tracker = _tracker(base)
    estimate = tracker.track(IMAGE)
    assert base.initial == TARGET
    np.testing.assert_allclose(estimate.box, REFINED_BOX)
    assert estimate.mask is not None and estimate.mask.shape == (90, 120)
    assert estimate.mask[45, 47] == 1 and estimate.mask[45, 57] == 0
    assert estimate.confidence == 0.4 and estimate.ambiguous and not estimate.lost
    tracker.set_state(TARGET)
    assert base.states[-1] == TARGET


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("feedback", ["base", "refined", "refined_if_found"])
def test_feedback(feedback: str, lost: bool) -> None:
    base = ScriptedBase(BASE_BOX, lost)
    config = replace(CouplingConfig(), feedback=feedback)  # type: ignore[arg-type]
    _tracker(base, config=config).track(IMAGE)
    wants_refined = feedback == "refined" or (feedback == "refined_if_found" and not lost)
    np.testing.assert_allclose(base.states, [REFINED_BOX if wants_refined else BASE_BOX])


def test_fed_back_size_goes_a_part_of_the_way() -> None:
    base = ScriptedBase(BASE_BOX)
    config = CouplingConfig(feedback="refined", feedback_rate=0.5)
    tracker = _tracker(base, config=config)
    expected = TARGET
    for _ in range(2):
        tracker.track(IMAGE)
        w, h = (expected.w * REFINED_BOX.w) ** 0.5, (expected.h * REFINED_BOX.h) ** 0.5
        expected = Box(52.5 - w / 2, 43 - h / 2, w, h)
        np.testing.assert_allclose(base.states[-1], expected)
    np.testing.assert_allclose(tracker.track(IMAGE).box, REFINED_BOX)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.5, float("nan")])
def test_feedback_rate_out_of_range(rate: float) -> None:
    with pytest.raises(UsageError, match="feedback_rate"):
        _tracker(ScriptedBase(BASE_BOX), config=CouplingConfig(feedback_rate=rate))


def _kernels(
    config: CouplingConfig, frames: int, share: float = 0.5, **base: object
) -> list[float]:
    """Mean of the kernel after each frame, from that of a black one on; frames become brighter."""
    tracker = _tracker(ScriptedBase(BASE_BOX, **base), config=config, share=share)  # type: ignore[arg-type]
    first = float(tracker.refiner.kernel.mean())
    seen = []
    for k in range(1, frames + 1):
        tracker.track(np.full_like(IMAGE, 25 * k))
        seen.append(float(tracker.refiner.kernel.mean()) - first)
    return seen


def test_reference_is_renewed_amid_its_interval_and_keeps_its_share_of_the_first_frame() -> None:
    config = CouplingConfig(reference_interval=4, reference_score=0.4)
    whole = replace(config, reference_interval=1)
    newest = _kernels(whole, 6, share=1.0)
    assert all(a < b for a, b in pairwise(newest))
    seen = _kernels(config, 6, share=0.25)
    assert seen[0] == 0
    np.testing.assert_allclose(seen[1::4], np.array(newest[1::4]) / 4, rtol=1e-5)
    assert seen[1:5] == [seen[1]] * 4


@pytest.mark.parametrize(
    ("interval", "score", "base"),
    [(0, 0.0, {}), (1, 0.41, {}), (1, 0.0, {"lost": True}), (1, 0.0, {"ambiguous": True})],
)
def test_reference_stays_unless_the_target_is_surely_found(
    interval: int, score: float, base: dict[str, bool]
) -> None:
    config = CouplingConfig(reference_interval=interval, reference_score=score)
    assert _kernels(config, 3, **base) == [0, 0, 0]


def test_a_reference_that_cannot_be_cut_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = _tracker(
        ScriptedBase(BASE_BOX),
        config=CouplingConfig(reference_interval=1, reference_score=0.0),
    )
    first = tracker.refiner.kernel

    def refuse(*_: object) -> None:
        raise UsageError("too large")

    monkeypatch.setattr(tracker.refiner, "renew", refuse)
    np.testing.assert_allclose(tracker.track(IMAGE).box, REFINED_BOX)
    assert torch.equal(tracker.refiner.kernel, first)


def test_a_start_forgets_the_renewed_reference() -> None:
    tracker = _tracker(ScriptedBase(BASE_BOX), config=CouplingConfig(reference_interval=1))
    first = tracker.refiner.kernel
    tracker.track(np.full_like(IMAGE, 90))
    tracker.initialize(IMAGE, TARGET)
    assert torch.equal(tracker.refiner.kernel, first)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_reference_settings_out_of_range(share: float) -> None:
    with pytest.raises(UsageError, match="reference_share"):
        RefinerConfig(reference_share=share)
    with pytest.raises(UsageError, match="reference_interval"):
        CouplingConfig(reference_interval=-1)


@pytest.mark.parametrize(("mask", "answer"), [(True, MASK_BOX), (False, BASE_BOX)])
def test_unusable_refined_box_falls_back_to_the_mask_and_the_base_box(
    mask: bool, answer: Box
) -> None:
    base = ScriptedBase(BASE_BOX)
    tracker = _tracker(base, INVERTED, mask, CouplingConfig(feedback="refined"))
    assert tracker.track(IMAGE).box == answer
    assert base.states == [BASE_BOX]


@pytest.mark.parametrize("around", ["clipped", "base"])
def test_crop_around_the_clipped_or_the_base_box(around: str) -> None:
    outside = Box(110, 30, 30, 20)
    config = replace(CouplingConfig(), refine_around=around)  # type: ignore[arg-type]
    base = ScriptedBase(outside)
    tracker = _tracker(base, config=config)
    tracker.track(IMAGE)
    clipped = clip_box(outside, 90, 120)
    assert tracker.trace.refinement.window.box == (clipped if around == "clipped" else outside)
    assert tracker.trace.base.box == outside
    assert tracker.trace.fed_back == clipped


@pytest.mark.parametrize("around", ["clipped", "base"])
@pytest.mark.parametrize(
    "box", [Box(float("nan"), 3, 4, 5), Box(30, 30, -4, 5), Box(3, 4, float("inf"), 2)]
)
def test_broken_base_box_is_survived(box: Box, around: str) -> None:
    base = ScriptedBase(box)
    config = replace(CouplingConfig(), refine_around=around)  # type: ignore[arg-type]
    estimate = _tracker(base, config=config).track(IMAGE)
    assert estimate.box.is_valid and base.states[0].is_valid


def test_tiny_boxes_grow_unless_official() -> None:
    tiny = Box(60, 50, 0.5, 7)
    base = ScriptedBase(tiny)
    config = CouplingConfig()
    _tracker(base, config=config).track(IMAGE)
    assert base.states == [Box(59.25, 50, 2, 7)]
    _tracker(base, config=replace(config, official=OFFICIAL)).track(IMAGE)
    assert base.states[-1] == tiny


def test_initial_shift_is_kept_only_in_parity_mode() -> None:
    config = CouplingConfig(initial_shift=0.5)
    base = ScriptedBase(BASE_BOX)
    _tracker(base, config=config)
    assert base.initial == TARGET
    _tracker(base, config=replace(config, official=replace(CORRECTED, shifted_initial_box=True)))
    assert base.initial == Box(40.5, 30.5, 20, 16)


def test_only_the_configured_outputs_are_computed() -> None:
    tracker = _tracker(ScriptedBase(BASE_BOX), config=CouplingConfig(outputs=("mask",)))
    estimate = tracker.track(IMAGE)
    network = tracker.refiner.network
    assert isinstance(network, FixedNetwork) and network.asked == [{"mask"}]
    assert estimate.box == MASK_BOX and estimate.mask is not None


def test_impossible_configurations_are_refused() -> None:
    base = ScriptedBase(BASE_BOX)
    with pytest.raises(UsageError, match="no output mask"):
        _tracker(base, mask=False, config=CouplingConfig(outputs=("mask",)))
    with pytest.raises(UsageError, match="no box is refined"):
        _tracker(base, config=CouplingConfig(outputs=("mask",), feedback="refined"))
