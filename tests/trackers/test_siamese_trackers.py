"""Siamese trackers where parity does not reach: odd targets, lost maps, feedback, resuming."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.nets.siamfc.network import SiamFcNet
from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig, UpChannelRpnConfig
from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.runtime import resolve_runtime
from alpharefine.trackers.siamese.state import Fallback, TargetState
from alpharefine.trackers.siamfc.config import SiamFcConfig
from alpharefine.trackers.siamfc.tracker import SiamFcTracker
from alpharefine.trackers.siamrpn.channels import ChannelSelectionConfig, LevelSelection
from alpharefine.trackers.siamrpn.config import SIAMRPN_PLUS, SIAMRPN_PLUS_TUNED, SiamRpnConfig
from alpharefine.trackers.siamrpn.tracker import SiamRpnTracker
from alpharefine.types import Box

HEIGHT, WIDTH = 90, 120
TARGET = Box(50.0, 40.0, 20.0, 16.0)
RUNTIME = resolve_runtime("cpu", "float32")
SELECTION = ChannelSelectionConfig(levels=(LevelSelection("layer2", 60, 1e-6, 0.9),), max_steps=5)

SiameseTracker = SiamRpnTracker | SiamFcTracker


@cache
def _frames() -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    background = np.repeat(np.repeat(coarse, 10, 0), 10, 1)
    return [np.roll(background, 2 * k, axis=1) for k in range(5)]


@cache
def _networks() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    dilated = DepthwiseRpnConfig(backbone="resnet18", stages=("layer2", "layer3"), channels=16)
    networks = {
        "siamrpnpp": dilated.build(),
        "siamrpn": UpChannelRpnConfig(channels=16).build(),
        "siamfc": SiamFcNetConfig().build(),
    }
    return {name: RUNTIME.prepare(_settled(network)) for name, network in networks.items()}


def _settled(network: Any) -> torch.nn.Module:
    """Batch norms know the statistics of some frames, and regression says something."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.01, generator=generator)
    images = 255 * torch.rand(2, 3, 255, 255, generator=generator)
    with torch.no_grad():
        template = network.template(network.features(images[..., :127, :127]))
        network.predict(network.features(images), template)
    assert isinstance(network, torch.nn.Module)
    return network


def _rpnpp() -> SiameseTracker:
    return SiamRpnConfig().build(_networks()["siamrpnpp"], RUNTIME)


def _ta_rpnpp() -> SiameseTracker:
    return replace(SiamRpnConfig(), channels=SELECTION).build(_networks()["siamrpnpp"], RUNTIME)


def _rpn_plus() -> SiameseTracker:
    return SIAMRPN_PLUS.build(_networks()["siamrpn"], RUNTIME)


def _fc_plus() -> SiameseTracker:
    return SiamFcConfig().build(_networks()["siamfc"], RUNTIME)


BUILDERS = [_rpnpp, _ta_rpnpp, _rpn_plus, _fc_plus]
any_tracker = pytest.mark.parametrize("build", BUILDERS)
Build = Callable[[], SiameseTracker]


def _run(tracker: SiameseTracker) -> list[Box]:
    first, *others = _frames()
    tracker.initialize(first, TARGET)
    return [tracker.track(image).box for image in others]


@any_tracker
def test_a_second_start_gives_the_same_boxes(build: Build) -> None:
    tracker = build()
    boxes = _run(tracker)
    assert all(box.is_valid for box in boxes)
    assert _run(tracker) == boxes


@any_tracker
@pytest.mark.parametrize(
    "target",
    [
        Box(0.0, 0.0, 8.0, 8.0),
        Box(WIDTH - 3.0, HEIGHT - 2.0, 30.0, 30.0),
        Box(60.0, 40.0, 1.0, 1.0),
        Box(60.2, 40.7, 0.01, 0.02),
        Box(-200.0, -300.0, 20.0, 30.0),
        Box(1e6, 1e6, 20.0, 30.0),
        Box(-500.0, -400.0, 1200.0, 900.0),
        Box(0.0, 0.0, 2.0, 1e5),
    ],
    ids=str,
)
def test_odd_targets(build: Build, target: Box) -> None:
    tracker = build()
    tracker.initialize(_frames()[0], target)
    for image in _frames()[1:2]:
        estimate = tracker.track(image)
        assert estimate.box.is_valid
        assert 0 <= estimate.confidence <= 1
        state = tracker.state
        assert 0 <= state.x <= WIDTH
        assert 0 <= state.y <= HEIGHT
        assert 10 <= state.w <= WIDTH
        assert 10 <= state.h <= HEIGHT


@any_tracker
@pytest.mark.parametrize(
    "target", [Box(0, 0, 0, 5), Box(float("nan"), 0, 5, 5), Box(0, 0, 5, float("inf"))]
)
def test_empty_targets_are_refused(build: Build, target: Box) -> None:
    with pytest.raises(UsageError, match="empty or not finite"):
        build().initialize(_frames()[0], target)


@any_tracker
def test_frames_may_change_their_size(build: Build) -> None:
    tracker = build()
    tracker.initialize(_frames()[0], TARGET)
    for image in (_frames()[1][:30, :40], _frames()[2][:1, :1], _frames()[3]):
        assert tracker.track(np.ascontiguousarray(image)).box.is_valid


@any_tracker
def test_a_run_is_taken_up_by_another_tracker(build: Build) -> None:
    first, second = build(), build()
    first.initialize(_frames()[0], TARGET)
    first.track(_frames()[1])
    snapshot: Any = first.snapshot()
    expected = [first.track(image).box for image in _frames()[2:]]
    second.resume(snapshot)
    assert [second.track(image).box for image in _frames()[2:]] == expected


@any_tracker
def test_a_box_is_fed_back(build: Build) -> None:
    tracker = build()
    tracker.initialize(_frames()[0], TARGET)
    tracker.track(_frames()[1])
    tracker.set_state(Box(10.0, 20.0, 30.0, 24.0))
    assert tracker.state == TargetState(25.0, 32.0, 30.0, 24.0)
    assert tracker.state.box == Box(10.0, 20.0, 30.0, 24.0)
    if isinstance(tracker, SiamFcTracker):
        side = tracker.config.context.side(30.0, 24.0)
        assert tracker.search_side == pytest.approx(side * 255 / 127)
    assert tracker.track(_frames()[2]).box.is_valid


def test_templates_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = _rpnpp()
    assert isinstance(tracker, SiamRpnTracker)
    calls: list[int] = []
    template = tracker.network.template
    monkeypatch.setattr(
        tracker.network, "template", lambda features: (calls.append(1), template(features))[1]
    )
    _run(tracker)
    assert len(calls) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_maps_without_finite_scores_keep_the_last_state(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    tracker = _rpnpp()
    assert isinstance(tracker, SiamRpnTracker)
    tracker.initialize(_frames()[0], TARGET)
    before = tracker.state
    maps = RpnMaps(torch.full((1, 10, 25, 25), value), torch.zeros(1, 20, 25, 25))
    with monkeypatch.context() as patched:
        patched.setattr(tracker.network, "predict", lambda features, template: maps)
        estimate = tracker.track(_frames()[1])
    assert tracker.state == before
    assert estimate.box == before.box
    assert (estimate.lost, estimate.confidence) == (True, 0.0)
    assert estimate.fallbacks == {Fallback.SCORES}
    assert tracker.track(_frames()[1]).fallbacks == frozenset()


def test_boxes_that_overflow_are_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = _rpnpp()
    assert isinstance(tracker, SiamRpnTracker)
    tracker.initialize(_frames()[0], TARGET)
    regression = torch.zeros(1, 4, 5, 25, 25)
    # All but one place: also where the window is largest.
    regression[:, 2:] = 1000.0
    regression[:, :, 2, 3, 4] = 0.0
    maps = RpnMaps(torch.zeros(1, 10, 25, 25), regression.flatten(1, 2))
    monkeypatch.setattr(tracker.network, "predict", lambda features, template: maps)
    estimate = tracker.track(_frames()[1])
    assert estimate.box.is_valid
    assert tracker.trace.ranking.best == (2, 3, 4)


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_siamfc_maps_that_are_not_finite_keep_the_last_state(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    tracker = _fc_plus()
    assert isinstance(tracker, SiamFcTracker)
    tracker.initialize(_frames()[0], TARGET)
    before = tracker.state, tracker.search_side
    maps = torch.zeros(3, 1, 17, 17)
    maps[1, 0, 4, 4] = value
    monkeypatch.setattr(tracker.network, "predict", lambda features, kernel: maps)
    estimate = tracker.track(_frames()[1])
    assert (tracker.state, tracker.search_side) == before
    assert (estimate.lost, estimate.confidence) == (True, 0.0)
    assert estimate.fallbacks == {Fallback.SCORES}


def test_a_flat_siamfc_map_stays_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = _fc_plus()
    assert isinstance(tracker, SiamFcTracker)
    tracker.initialize(_frames()[0], TARGET)
    monkeypatch.setattr(
        tracker.network, "predict", lambda features, kernel: torch.full((3, 1, 17, 17), 2.0)
    )
    before, estimate = tracker.state, tracker.track(_frames()[1])
    assert tracker.trace.best_scale == 1
    # One upsampled cell, as there is none in the very middle.
    assert abs(tracker.state.x - before.x) < 0.5
    assert estimate.confidence == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-4)


@pytest.mark.parametrize(("step", "limit"), [(0, 0.2), (2, 5.0)])
def test_siamfc_search_regions_have_limits(
    monkeypatch: pytest.MonkeyPatch, step: int, limit: float
) -> None:
    tracker = _fc_plus()
    assert isinstance(tracker, SiamFcTracker)
    tracker.initialize(_frames()[0], TARGET)
    first = tracker.search_side
    maps = torch.zeros(3, 1, 17, 17)
    maps[step] = 1.0
    monkeypatch.setattr(tracker.network, "predict", lambda features, kernel: maps)
    for _ in range(90):
        tracker.track(_frames()[1])
    assert tracker.search_side == pytest.approx(limit * first)
    assert tracker.state.w == (10.0 if step == 0 else WIDTH)


def test_small_targets_have_a_larger_search_crop() -> None:
    tracker = SIAMRPN_PLUS_TUNED["VOT2017"].build(_networks()["siamrpn"], RUNTIME)
    for side, cells in ((20.0, 19), (5.0, 21)):
        tracker.initialize(_frames()[0], Box(50.0, 40.0, side, side))
        tracker.track(_frames()[1])
        assert tracker.trace.scores.shape == (5, cells, cells)


def test_target_aware_channels_reach_template_and_search() -> None:
    plain, aware = _rpnpp(), _ta_rpnpp()
    assert isinstance(aware, SiamRpnTracker)
    _run(plain)
    _run(aware)
    assert set(aware.masks) == {"layer2"}
    assert int(aware.masks["layer2"].sum()) == 60
    assert isinstance(plain, SiamRpnTracker)
    assert not np.array_equal(plain.trace.scores, aware.trace.scores)
    assert not np.array_equal(
        plain.template["layer2"].regression, aware.template["layer2"].regression
    )


def test_a_selection_that_diverges_keeps_all_channels() -> None:
    diverging = replace(SELECTION, levels=(LevelSelection("layer2", 60, 1e12, 0.9),), max_steps=90)
    config = replace(SiamRpnConfig(), channels=diverging)
    tracker = config.build(_networks()["siamrpnpp"], RUNTIME)
    tracker.initialize(_frames()[0], TARGET)
    assert not tracker.masks
    assert tracker.track(_frames()[1]).fallbacks == {Fallback.CHANNELS}
    assert tracker.track(_frames()[1]).fallbacks == frozenset()


def test_bfloat16_runs() -> None:
    runtime = resolve_runtime("cpu", "bfloat16")
    torch.manual_seed(0)
    network = runtime.prepare(SiamFcNetConfig().build())
    assert isinstance(network, SiamFcNet)
    assert all(box.is_valid for box in _run(SiamFcConfig().build(network, runtime)))
    rpn = runtime.prepare(UpChannelRpnConfig(channels=16).build())
    assert all(box.is_valid for box in _run(SIAMRPN_PLUS.build(rpn, runtime)))
