"""What every tracker must do: tests that a class inherits by naming a tracker."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pytest

from alpharefine.build import build_tracker
from alpharefine.catalogue import TrackerSpec
from alpharefine.errors import UsageError
from alpharefine.types import Box, Estimate, Image, ResumableTracker, Tracker
from tests.reliability.moving_patch import TARGET, frames

HEIGHT, WIDTH = frames()[0].shape[:2]
ODD_TARGETS = {
    "at the border": Box(0, 0, 30, 20),
    "partly outside": Box(-25, -15, 40, 30),
    "outside": Box(WIDTH + 20, HEIGHT + 20, 30, 20),
    "one pixel": Box(50, 40, 1, 1),
    "thin": Box(30, 20, 2, 120),
    "larger than the frame": Box(-WIDTH / 2, -HEIGHT / 2, 2.0 * WIDTH, 2.0 * HEIGHT),
}
ODD_FRAMES = {
    "black": np.zeros((HEIGHT, WIDTH, 3), np.uint8),
    "smaller": np.full((40, 50, 3), 90, np.uint8),
    "one pixel": np.full((1, 1, 3), 90, np.uint8),
    "a line": np.full((1, WIDTH, 3), 200, np.uint8),
    "larger": np.full((2 * HEIGHT, 2 * WIDTH, 3), 128, np.uint8),
}


def assert_good(estimate: Estimate, image: Image) -> None:
    """Finite, of the frame's size, in the ranges that `Estimate` promises."""
    assert estimate.box.is_valid
    assert 0 <= estimate.confidence <= 1
    if estimate.mask is not None:
        assert estimate.mask.shape == image.shape[:2]
        assert estimate.mask.dtype == np.uint8 and estimate.mask.max(initial=0) <= 1


def assert_same(found: Estimate, expected: Estimate) -> None:
    assert replace(found, mask=None) == replace(expected, mask=None)
    assert (found.mask is None) == (expected.mask is None)
    if found.mask is not None:
        np.testing.assert_array_equal(found.mask, expected.mask)


def run(tracker: Tracker, count: int = 3) -> list[Estimate]:
    tracker.initialize(frames()[0], TARGET)
    return [tracker.track(image) for image in frames()[1 : count + 1]]


class TrackerContract:
    """Inherit and give a tracker of the catalogue, or override `build`.

    Attributes:
        tracked_by: see `alpharefine.build.build_tracker`.
        odd_targets: which of `ODD_TARGETS` it is started on, fewer where starts take long.
    """

    tracked_by: str | TrackerSpec
    odd_targets: Collection[str] = ODD_TARGETS

    @pytest.fixture(scope="class")
    @classmethod
    def tracker(cls) -> Tracker:
        return cls.build()

    @classmethod
    def build(cls) -> Tracker:
        return build_tracker(cls.tracked_by, device="cpu")

    def test_a_new_start_leaves_nothing_of_what_was_before(self, tracker: Tracker) -> None:
        first = run(tracker)
        tracker.initialize(ODD_FRAMES["larger"], Box(200, 150, 60, 80))
        tracker.track(frames()[2])
        for found, expected in zip(run(tracker), first, strict=True):
            assert_same(found, expected)

    def test_answers_are_finite_and_of_the_frames_size(self, tracker: Tracker) -> None:
        for estimate, image in zip(run(tracker), frames()[1:], strict=False):
            assert_good(estimate, image)

    def test_odd_targets(self, tracker: Tracker) -> None:
        for name in self.odd_targets:
            tracker.initialize(frames()[0], ODD_TARGETS[name])
            assert_good(tracker.track(frames()[1]), frames()[1])

    def test_odd_frames_in_mid_run(self, tracker: Tracker) -> None:
        tracker.initialize(frames()[0], TARGET)
        for image in [*ODD_FRAMES.values(), frames()[1]]:
            assert_good(tracker.track(image), image)

    @pytest.mark.parametrize("target", [Box(1, 2, 0, 5), Box(1, 2, 3, -1), Box(np.nan, 2, 3, 4)])
    def test_what_is_no_target_is_refused(self, tracker: Tracker, target: Box) -> None:
        with pytest.raises(UsageError, match="box"):
            tracker.initialize(frames()[0], target)

    def test_a_fed_back_box_decides_about_the_next_frame(self, tracker: Tracker) -> None:
        answers = []
        for box in (TARGET, Box(150, 100, 25, 50)):
            tracker.initialize(frames()[0], TARGET)
            tracker.set_state(box)
            answers.append(tracker.track(frames()[1]))
        assert answers[1].box != answers[0].box

    def test_a_run_can_be_taken_up_again_from_a_snapshot(self, tracker: Tracker) -> None:
        if not isinstance(tracker, ResumableTracker):
            return  # Snapshots are optional.
        run(tracker, 2)
        snapshot = tracker.snapshot()
        if snapshot is None:
            return
        first = tracker.track(frames()[3])
        tracker.resume(snapshot)
        assert_same(tracker.track(frames()[3]), first)
