"""The public functions: what they take, what they give, and one clear line for the rest."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import alpharefine as ar
from alpharefine.session import INVALID, UNREADABLE, TrackingSession
from alpharefine.types import Image
from tests.reliability.moving_patch import TARGET, frames


class Right:
    """Goes one pixel to the right in each frame; answers what it is told to."""

    answer: ar.Estimate | None = None

    def initialize(self, image: Image, target: ar.Box) -> None:
        assert image.dtype == np.uint8 and isinstance(target, ar.Box)
        self.box = target

    def track(self, image: Image) -> ar.Estimate:
        self.box = self.box._replace(x=self.box.x + 1)
        return self.answer or ar.Estimate(self.box, confidence=0.5)

    def set_state(self, box: ar.Box) -> None:
        self.box = box


def image_folder(folder: Path) -> Path:
    folder.mkdir()
    for k, image in enumerate(frames()):
        cv2.imwrite(str(folder / f"{k:03}.png"), image[..., ::-1])
    return folder


def video_file(file: Path) -> Path:
    height, width = frames()[0].shape[:2]
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(file), fourcc, 10.0, (width, height))
    for image in frames():
        writer.write(image[..., ::-1])
    writer.release()
    return file


SOURCES: dict[str, Callable[[Path], object]] = {
    "folder": lambda path: image_folder(path / "walk"),
    "folder by name": lambda path: str(image_folder(path / "walk")),
    "video": lambda path: video_file(path / "walk.avi"),
    "array": lambda path: np.stack(frames()),
    "list": lambda path: frames(),
    "paths": lambda path: sorted(image_folder(path / "walk").iterdir()),
    "generator": lambda path: (image for image in frames()),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_any_source_of_frames(source: Callable[[Path], object], tmp_path: Path) -> None:
    found = list(ar.track(Right(), source(tmp_path), box=(60, 50, 40, 30)))
    assert [each.box.x for each in found] == [60 + k for k in range(len(frames()))]
    assert [each.confidence for each in found] == [1.0] + [0.5] * (len(frames()) - 1)


@pytest.mark.parametrize("box", [(1, 2, 3, 4), [1, 2, 3, 4], np.array([1.0, 2, 3, 4])])
def test_boxes_of_any_kind(box: object) -> None:
    assert TrackingSession(Right()).initialize(frames()[0], box).box == ar.Box(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "the box has 3 numbers: give x, y, width, height"),
        ((1, 2, 0, 4), "is empty or not finite"),
        ((1, 2, float("nan"), 4), "is empty or not finite"),
        ("1,2,3,4", "is not four numbers"),
        (7, "is not four numbers"),
    ],
)
def test_what_is_no_box(box: object, message: str) -> None:
    with pytest.raises(ar.UsageError, match=message):
        TrackingSession(Right()).initialize(frames()[0], box)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((9, 9, 3)), r"the image is float64: give uint8, 0..255; values in 0..1"),
        (np.zeros((9, 9), np.uint8), r"shape \(9, 9\): give H x W x 3.*COLOR_GRAY2RGB"),
        (np.zeros((9, 9, 4), np.uint8), r"shape \(9, 9, 4\): give H x W x 3"),
        (np.zeros((0, 9, 3), np.uint8), "no pixels"),
        ("no-such.jpg", "no-such.jpg is not an image file"),
    ],
)
def test_what_is_no_image(image: object, message: str) -> None:
    session = TrackingSession(Right())
    with pytest.raises(ar.UsageError, match=message):
        session.initialize(image, TARGET)
    session.initialize(frames()[0], TARGET)
    with pytest.raises(ar.UsageError, match=message):
        session.track(image)


def test_a_target_comes_first() -> None:
    session = TrackingSession(Right())
    with pytest.raises(ar.UsageError, match="no target yet: call initialize"):
        session.track(frames()[0])
    with pytest.raises(ar.UsageError, match="no target yet: call initialize"):
        session.set_state(TARGET)


def test_the_last_answer_is_kept() -> None:
    tracker = Right()
    session = TrackingSession(tracker)
    session.initialize(frames()[0], TARGET)
    good = session.track(frames()[1])
    tracker.answer = ar.Estimate(ar.Box(np.nan, 0, 1, 1), fallbacks=frozenset({"x"}))
    broken, unreadable = session.track(frames()[2]), session.track(None)
    assert broken.box == unreadable.box == good.box
    assert broken.lost and unreadable.lost and broken.confidence == unreadable.confidence == 0
    assert (broken.fallbacks, unreadable.fallbacks) == ({INVALID, "x"}, {UNREADABLE})


def test_a_mask_stands_for_a_box_that_is_none() -> None:
    tracker = Right()
    session = TrackingSession(tracker)
    session.initialize(frames()[0], TARGET)
    mask = np.zeros(frames()[0].shape[:2], np.uint8)
    mask[20:40, 30:80] = 1
    tracker.answer = ar.Estimate(ar.Box(np.nan, 0, 1, 1), mask)
    assert session.track(frames()[1]).box == ar.Box(30, 20, 50, 20)


@pytest.mark.parametrize(
    ("given", "kept"), [(0.3, 0.3), (7, 1.0), (-1, 0.0), (float("nan"), 0.0), (float("inf"), 1.0)]
)
def test_confidence_is_within_its_range(given: float, kept: float) -> None:
    assert ar.Estimate(TARGET, confidence=given).confidence == kept


def test_no_frames() -> None:
    with pytest.raises(ar.UsageError, match=r"no video, folder, stream or camera nothing\.mp4"):
        list(ar.track(Right(), "nothing.mp4", box=TARGET))
    with pytest.raises(ar.UsageError, match="first frame"):
        list(ar.track(Right(), [], box=TARGET))


def test_all_names_are_shown() -> None:
    assert set(ar.__all__) <= set(dir(ar))
    assert all(getattr(ar, name) for name in ar.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ar.nothing  # noqa: B018


def test_the_default_tracker_by_name_and_refined() -> None:
    tracker = ar.create_tracker(device="cpu")
    found = list(ar.track(tracker, frames()[:3], box=TARGET))
    assert found[2].mask is not None and found[2].box.is_valid
    ours = ar.refined(Right(), device="cpu")
    assert next(iter(ar.track(ours, frames(), box=TARGET))).box == TARGET
