"""Several objects at a time: what one of them is answered, and what they share."""

from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np
import pytest

from alpharefine.build import build_tracker, tracker_maker
from alpharefine.errors import UsageError
from alpharefine.multi.config import MultiConfig, PresenceConfig, multi_config
from alpharefine.multi.tracker import MultiObjectTracker
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.types import Box, Estimate, Image, Tracker

NEAR = (Box(60, 50, 30, 24), Box(100, 60, 28, 26))


@cache
def make() -> "object":
    return tracker_maker("ARDiMP_lite", device="cpu", precision="float32")


def multi(config: MultiConfig = MultiConfig()) -> MultiObjectTracker:
    return MultiObjectTracker(make(), config)  # type: ignore[arg-type]


def frames(count: int = 4, height: int = 240, width: int = 320) -> Iterator[Image]:
    random = np.random.default_rng(3)
    small = random.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    image = cv2.resize(small, (width, height))
    for number in range(count):
        yield np.ascontiguousarray(np.roll(image, 2 * number, axis=1))


def follow(tracker: Tracker, box: Box) -> list[Estimate]:
    first, *others = frames()
    tracker.initialize(first, box)
    return [tracker.track(image) for image in others]


def follow_all(tracker: MultiObjectTracker, boxes: tuple[Box, ...]) -> list[list[Estimate]]:
    first, *others = frames()
    tracker.initialize(first, boxes)
    return [tracker.track(image) for image in others]


def same(one: Estimate, other: Estimate) -> bool:
    assert one.mask is not None and other.mask is not None
    return (
        one.box == other.box
        and one.confidence == other.confidence
        and (one.mask.tobytes() == other.mask.tobytes())
    )


def test_an_object_alone_is_answered_as_by_the_single_object_tracker() -> None:
    alone = follow(build_tracker("ARDiMP_lite", device="cpu", precision="float32"), NEAR[0])
    [*together] = follow_all(multi(), NEAR[:1])
    assert all(same(one, other) for one, [other] in zip(alone, together, strict=True))


def _passes(tracker: MultiObjectTracker, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Passes of the base network in each frame but the first."""
    [first, *_] = tracker._trackers
    assert isinstance(first, RefinedTracker)
    network = first.base._features  # type: ignore[attr-defined]
    forward, counts = network.forward, []

    def counted(images: object) -> object:
        counts[-1] += 1
        return forward(images)

    image, *others = frames(3)
    tracker.initialize(image, NEAR)
    monkeypatch.setattr(network, "forward", counted)
    for image in others:
        counts.append(0)
        tracker.track(image)
    return counts


def test_near_objects_share_one_pass_of_the_base_network(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _passes(multi(), monkeypatch) == [1, 1]


def test_sharing_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _passes(multi(MultiConfig(sharing=None)), monkeypatch) == [2, 2]


def test_objects_may_come_later_and_keep_their_order() -> None:
    tracker = multi()
    first, second, third, _ = frames()
    tracker.initialize(first, NEAR[:1])
    [alone] = tracker.track(second)
    tracker.add(second, NEAR[1:])
    both = tracker.track(third)
    assert len(both) == 2
    assert abs(both[0].box.x - alone.box.x) < 15 and abs(both[1].box.x - NEAR[1].x) < 15


def test_masks_do_not_overlap_even_of_one_target_twice() -> None:
    answers = follow_all(multi(), (NEAR[0], NEAR[0], NEAR[1]))
    for estimates in answers:
        masks = [estimate.mask for estimate in estimates if estimate.mask is not None]
        assert np.sum(masks, axis=0, dtype=int).max() <= 1
        assert masks[0].any()


def test_initialization_leaves_nothing_of_the_objects_before() -> None:
    tracker = multi()
    follow_all(tracker, NEAR)
    [*again] = follow_all(tracker, NEAR[:1])
    [*fresh] = follow_all(multi(), NEAR[:1])
    assert all(same(one, other) for [one], [other] in zip(again, fresh, strict=True))


def test_a_bad_target_begins_nothing() -> None:
    tracker = multi()
    first, second, *_ = frames()
    tracker.initialize(first, NEAR[:1])
    with pytest.raises(UsageError, match="target 2"):
        tracker.add(first, [NEAR[1], Box(1, 2, 0, 4)])
    assert len(tracker.track(second)) == 1


def test_an_object_that_is_gone_is_said_to_be_absent_and_found_again() -> None:
    sure = PresenceConfig(bias=-2.0, score_weight=8.0, mask_weight=0.0, threshold=0.5, patience=2)
    tracker = multi(MultiConfig(presence=sure))
    first, second, *_ = frames()
    tracker.initialize(first, NEAR)
    assert not any(estimate.absent for estimate in tracker.track(second))
    gray = np.full_like(first, 127)
    gone = [tracker.track(gray) for _ in range(3)]
    assert [estimate.absent for estimate in gone[0]] == [False, False]
    assert all(estimate.absent for estimates in gone[1:] for estimate in estimates)
    assert not any(estimate.absent for estimate in tracker.track(second))


def test_an_object_that_comes_back_far_away_is_found_by_the_search_that_moves_outward() -> None:
    random = np.random.default_rng(1)
    coarse = random.integers(90, 150, (12, 26, 3), dtype=np.uint8)
    back = cv2.resize(coarse, (520, 240), interpolation=cv2.INTER_CUBIC)
    patch = random.integers(0, 256, (5, 5, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)

    def frame(x: int | None) -> Image:
        image = back.copy()
        if x is not None:
            image[100:140, x : x + 40] = patch
        return image

    tracker = multi(multi_config("ARDiMP_lite", presence=True))
    tracker.initialize(frame(50), [Box(50, 100, 40, 40)])
    places = [52, 54, None, None, None, *[430] * 8]
    answers = [tracker.track(frame(x))[0] for x in places]
    assert not any(answer.absent for answer in answers[:2])
    assert all(answer.absent for answer in answers[3:5])
    assert not answers[-1].absent and abs(answers[-1].box.x - 430) < 8
