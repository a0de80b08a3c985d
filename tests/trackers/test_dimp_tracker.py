from functools import cache

import numpy as np
import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.registry import build_network
from alpharefine.official import CORRECTED, OFFICIAL
from alpharefine.runtime import resolve_runtime
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.online.config import LocalizationConfig
from alpharefine.types import Box

SIZE = (180, 240)
TARGET = Box(60.0, 50.0, 40.0, 30.0)


@cache
def _network() -> DimpNet:
    torch.manual_seed(0)
    return resolve_runtime("cpu").prepare(build_network("dimp_lite"))


def _tracker(**changes: object) -> DimpTracker:
    settings = {"localization": LocalizationConfig(target_not_found_threshold=-1e9), **changes}
    config = DimpConfig(image_sample_size=160, search_area_scale=4.0, **settings)
    return DimpTracker(_network(), config, resolve_runtime("cpu"))


def _frames(count: int, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    background = rng.integers(0, 255, (*size, 3), dtype=np.uint8)
    target = rng.integers(0, 255, (30, 40, 3), dtype=np.uint8)
    frames = []
    for k in range(count):
        frame = background.copy()
        frame[50 + k : 80 + k, 60 + 2 * k : 100 + 2 * k] = target
        frames.append(frame)
    return frames


def _boxes(tracker: DimpTracker, frames: list[np.ndarray]) -> list[Box]:
    tracker.initialize(frames[0], TARGET)
    return [tracker.track(frame).box for frame in frames[1:]]


def test_initialize_again_equals_a_new_tracker() -> None:
    frames = _frames(5)
    tracker = _tracker()
    first = _boxes(tracker, frames)
    assert _boxes(tracker, frames) == first
    assert _boxes(_tracker(), frames) == first


def test_other_randomness_in_the_process_changes_nothing() -> None:
    frames = _frames(3)
    first = _boxes(_tracker(), frames)
    torch.manual_seed(123)
    assert _boxes(_tracker(), frames) == first
    assert _boxes(_tracker(seed=1), frames) != first


@pytest.mark.parametrize("box", [Box(1, 2, 0, 5), Box(1, 2, 3, -1), Box(float("nan"), 2, 3, 4)])
def test_empty_target_is_refused(box: Box) -> None:
    with pytest.raises(UsageError, match="initial box"):
        _tracker().initialize(_frames(1)[0], box)


def test_fed_back_box_is_the_next_state() -> None:
    tracker = _tracker()
    tracker.initialize(_frames(1)[0], TARGET)
    box = Box(20.0, 30.0, 50.0, 24.0)
    tracker.set_state(box)
    assert tracker.state.box == pytest.approx(box)


@pytest.mark.parametrize(("official", "drift"), [(OFFICIAL, 0.5), (CORRECTED, 0.0)])
def test_lost_target_drifts_only_in_parity_mode(official: object, drift: float) -> None:
    tracker = _tracker(
        official=official, localization=LocalizationConfig(target_not_found_threshold=1e9)
    )
    frames = _frames(2)
    tracker.initialize(frames[0], TARGET)
    x = tracker.state.position[1]
    for _ in range(4):
        estimate = tracker.track(frames[1])
        assert estimate.lost
        tracker.set_state(estimate.box)
    assert tracker.state.position[1] - x == pytest.approx(4 * drift)


def test_frame_size_may_change() -> None:
    tracker = _tracker()
    tracker.initialize(_frames(1)[0], TARGET)
    estimate = tracker.track(_frames(1, (120, 400))[0])
    assert estimate.box.is_valid


def test_a_settled_frame_is_learned_with_the_box_it_is_given() -> None:
    frames = _frames(2)
    certain = LocalizationConfig(target_not_found_threshold=-1e9, distractor_threshold=2.0)
    tracker = _tracker(learn_settled=True, localization=certain)
    tracker.initialize(frames[0], TARGET)
    stored = tracker.memory.stored
    tracker.track(frames[1])
    assert tracker.memory.stored == stored and tracker.trace.training_target is None
    settled = Box(62.0, 51.0, 50.0, 20.0)
    tracker.set_state(settled)
    assert tracker.memory.stored == stored + 1
    box, patch = tracker.trace.training_target, tracker.trace.patch
    assert box is not None
    assert box[2:].numpy() == pytest.approx(np.array(settled[2:]) / patch.scale, rel=1e-5)
    tracker.set_state(settled)
    assert tracker.memory.stored == stored + 1
