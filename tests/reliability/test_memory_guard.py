"""The end of a device's memory, injected anywhere: the run goes on, and nothing else changes."""

import logging
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from alpharefine.build import build_tracker
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.memory_guard import REPEATED, MemoryGuard, is_out_of_memory
from alpharefine.types import Estimate, ResumableTracker
from tests.reliability.moving_patch import TARGET, frames
from tests.reliability.random_networks import EVERYTHING_RUNS

ERRORS = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
)


def build(_: str) -> ResumableTracker:
    """Stands for a tracker on any device: computed on the CPU, so that answers can be compared."""
    return build_tracker("ARDiMP_lite", device="cpu", precision="float32", weights="random:1")


def run(tracker: ResumableTracker | MemoryGuard) -> list[Estimate]:
    tracker.initialize(frames()[0], TARGET)
    return [tracker.track(image) for image in frames()[1:]]


@cache
def undisturbed() -> list[Estimate]:
    return run(build("cuda"))


def assert_same(estimates: list[Estimate]) -> None:
    for found, expected in zip(estimates, undisturbed(), strict=True):
        assert found.box == expected.box
        assert (found.confidence, found.lost) == (expected.confidence, expected.lost)
        assert np.array_equal(found.mask, expected.mask)


class Exhausted:
    """Raises instead of some of a function's calls; counts them."""

    def __init__(self, function: Callable, calls: set[int], error: Exception) -> None:
        self.function, self.calls, self.error = function, calls, error
        self.count = 0

    def __call__(self, *args, **options):
        self.count += 1
        if self.count in self.calls:
            raise self.error
        return self.function(*args, **options)


PLACES = [
    ("base", "_extract"),
    ("base", "_update_filter"),
    ("base", "_optimize_filter"),
    ("base", "_refine_box"),
    ("refiner", "refine"),
]


def exhaust(tracker: ResumableTracker, place: tuple[str, str], calls: set[int], error: Exception):
    part = getattr(tracker, place[0])
    spoiled = Exhausted(getattr(part, place[1]), calls, error)
    setattr(part, place[1], spoiled)
    return spoiled


@pytest.fixture(autouse=True)
def every_frame_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every part runs in every frame, whatever the random weights answer."""
    from dataclasses import replace

    original = DimpTracker.__init__

    def init(self, network, config, runtime, draws=None, **others) -> None:
        original(self, network, replace(config, **EVERYTHING_RUNS), runtime, draws, **others)

    monkeypatch.setattr(DimpTracker, "__init__", init)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_one_failure_is_repeated_on_the_device(place: tuple[str, str], error: Exception) -> None:
    guard = MemoryGuard(build, "cuda")
    spoiled = exhaust(guard.tracker, place, {3}, error)
    device_tracker = guard.tracker
    estimates = run(guard)
    assert_same(estimates)
    assert guard.tracker is device_tracker
    assert spoiled.count > 3
    told = [REPEATED in estimate.fallbacks for estimate in estimates]
    assert sum(told) == 1


@pytest.mark.parametrize("place", PLACES, ids="-".join)
def test_two_failures_move_the_run_to_the_cpu(
    place: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    guard = MemoryGuard(build, "cuda")
    exhaust(guard.tracker, place, {3, 4}, ERRORS[0])
    device_tracker = guard.tracker
    with caplog.at_level(logging.WARNING):
        assert_same(run(guard))
    assert guard.tracker is not device_tracker
    assert "the caches are freed" in caplog.text
    assert "on the CPU" in caplog.text


@pytest.mark.parametrize("calls", [{1}, {1, 2}])
def test_failures_in_the_initialization(calls: set[int]) -> None:
    guard = MemoryGuard(build, "cuda")
    exhaust(guard.tracker, PLACES[0], calls, ERRORS[0])
    assert_same(run(guard))


def test_a_tracker_that_does_not_fit_is_built_on_the_cpu() -> None:
    devices = []

    def build_where_it_fits(device: str) -> ResumableTracker:
        devices.append(device)
        if device != "cpu":
            raise ERRORS[0]
        return build(device)

    assert_same(run(MemoryGuard(build_where_it_fits, "cuda")))
    assert devices == ["cuda", "cpu"]


def test_every_later_run_stays_on_the_cpu() -> None:
    guard = MemoryGuard(build, "cuda")
    exhaust(guard.tracker, PLACES[0], {2, 3}, ERRORS[0])
    assert_same(run(guard))
    moved = guard.tracker
    assert_same(run(guard))
    assert guard.tracker is moved


def test_other_errors_and_those_on_the_cpu_come_through() -> None:
    guard = MemoryGuard(build, "cuda")
    exhaust(guard.tracker, PLACES[0], {2}, RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        run(guard)
    on_cpu = MemoryGuard(build, "cpu")
    exhaust(on_cpu.tracker, PLACES[0], {2}, ERRORS[0])
    with pytest.raises(torch.OutOfMemoryError):
        run(on_cpu)
    assert not is_out_of_memory(ValueError("out of memory"))


def test_a_snapshot_is_not_changed_by_later_frames() -> None:
    tracker = build("cpu")
    tracker.initialize(frames()[0], TARGET)
    tracker.track(frames()[1])
    snapshot = tracker.snapshot()
    first = tracker.track(frames()[2])
    tracker.resume(snapshot)
    again = tracker.track(frames()[2])
    assert (again.box, again.confidence) == (first.box, first.confidence)
    assert np.array_equal(again.mask, first.mask)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_memory_that_others_take_on_a_real_device() -> None:
    def build_there(device: str) -> ResumableTracker:
        return build_tracker("ARDiMP_lite", device=device, weights="random:1")

    guard = MemoryGuard(build_there, "cuda")
    guard.initialize(frames()[0], TARGET)
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    torch.cuda.set_per_process_memory_fraction(
        torch.cuda.memory_reserved() / (free + torch.cuda.memory_reserved())
    )
    try:
        estimates = [guard.track(image) for image in frames()[1:]]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert all(estimate.box.is_valid for estimate in estimates)
