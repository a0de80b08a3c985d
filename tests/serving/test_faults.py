"""Faulty frames, answers and requests: the run goes on, or the toolkit hears why not."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from vot.dataset import Sequence
from vot.region import Mask, Polygon, Rectangle, Region, calculate_overlap
from vot.tracker import ObjectStatus, TrackerException

from tests.serving.conftest import HEIGHT, LENGTH, WIDTH, Launch, log_text, process_id
from tests.serving.test_formats import BOUNDS, TARGETS, start, step

HTML = b"<html><body>404 Not Found</body></html>"
TARGET = TARGETS["rectangle"]


def frame_file(sequence: Sequence, index: int) -> Path:
    return Path(sequence.frame(index).filename("color"))


@pytest.mark.parametrize(
    ("content", "output"),
    [(None, "mask"), (b"", "rotated"), (HTML, "box"), (b"\xff\xd8\xff\xe0", "mask")],
)
def test_an_unreadable_frame_keeps_the_last_state(
    launch: Launch, sequence: Sequence, logs: Path, content: bytes | None, output: str
) -> None:
    broken = frame_file(sequence, 2)
    broken.unlink() if content is None else broken.write_bytes(content)
    with launch(output=output) as runtime:
        start(runtime, sequence, TARGET)
        before, kept, after = (step(runtime, sequence, index) for index in (1, 2, 3))
    assert str(kept.region) == str(before.region)
    assert kept.properties == {"confidence": "0.000000"}
    assert after.properties == {"confidence": "0.750000"}
    assert f"cannot read {broken}" in log_text(logs)
    assert "1 unreadable frames" in log_text(logs)


def test_an_unreadable_frame_after_the_first_keeps_the_target(
    launch: Launch, sequence: Sequence
) -> None:
    frame_file(sequence, 1).write_bytes(HTML)
    with launch() as runtime:
        start(runtime, sequence, TARGETS["mask"])
        kept = step(runtime, sequence, 1)
    assert calculate_overlap(kept.region, TARGETS["mask"], BOUNDS) == 1.0


def test_an_unreadable_first_frame_is_a_clear_error(launch: Launch, sequence: Sequence) -> None:
    broken = frame_file(sequence, 0)
    broken.write_bytes(HTML)
    with launch() as runtime, pytest.raises(TrackerException) as caught:
        start(runtime, sequence, TARGET)
    assert f"the first frame cannot be read: {broken}: check the file" in str(caught.value)


def gray(image: np.ndarray) -> np.ndarray:
    return image[..., 0]


def deep(image: np.ndarray) -> np.ndarray:
    return image.astype(np.uint16) * 257


def alpha(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)


def pixel(image: np.ndarray) -> np.ndarray:
    return image[:1, :1]


def tall(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (50, 400))


def wide(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (3840, 60))


ODD = (gray, deep, alpha, pixel, tall, wide)


@pytest.mark.parametrize("output", ["mask", "rotated", "box"])
def test_odd_frames_are_tracked_and_answers_stay_inside(
    launch: Launch, sequence: Sequence, output: str
) -> None:
    """Gray, 16-bit and RGBA frames, and a size that changes in mid-sequence."""
    sizes = []
    for index, change in enumerate(ODD, start=1):
        path = frame_file(sequence, index)
        odd = change(cv2.imread(str(path)))
        # A PNG under the name of a JPEG: OpenCV goes by the content.
        path.write_bytes(cv2.imencode(".png", odd)[1].tobytes())
        sizes.append(odd.shape[:2])
    with launch(output=output) as runtime:
        start(runtime, sequence, TARGET)
        answers = [step(runtime, sequence, index) for index in range(1, LENGTH)]
    assert all(answer.properties == {"confidence": "0.750000"} for answer in answers)
    assert not answers[-1].region.is_empty()
    for answer, (height, width) in zip(answers, sizes, strict=False):
        if not answer.region.is_empty():
            left, top, right, bottom = answer.region.bounds()
            assert left >= 0
            assert top >= 0
            assert right <= width
            assert bottom <= height


@pytest.mark.parametrize("fault", ["nan", "inf"])
def test_answers_that_are_no_number_keep_the_last_state(
    launch: Launch, sequence: Sequence, logs: Path, fault: str
) -> None:
    with launch(fault, "box") as runtime:
        start(runtime, sequence, TARGET)
        good, first, second = (step(runtime, sequence, index) for index in (1, 2, 3))
    assert str(first.region) == str(second.region) == str(good.region)
    assert first.properties == {"confidence": "0.000000"}
    assert "2 invalid estimates" in log_text(logs)


def test_what_the_tracker_left_out_is_logged_and_counted(
    launch: Launch, sequence: Sequence, logs: Path
) -> None:
    with launch("fallback") as runtime:
        start(runtime, sequence, TARGET)
        for index in (1, 2, 3):
            step(runtime, sequence, index)
    text = log_text(logs)
    assert (
        f"{frame_file(sequence, 3)}: score maps that are not finite, the last state is kept" in text
    )
    assert "3 frames, 2 score maps that are not finite" in text


def test_a_box_off_the_frame_is_absent(launch: Launch, sequence: Sequence) -> None:
    with launch("away", "box") as runtime:
        start(runtime, sequence, TARGET)
        step(runtime, sequence, 1)
        answer = step(runtime, sequence, 2)
    assert str(answer.region) == "0.0,0.0,0.0,0.0"


@pytest.mark.parametrize(
    ("output", "kind", "empty"),
    [("mask", Mask, True), ("rotated", Rectangle, False), ("box", Rectangle, False)],
)
def test_an_empty_mask_is_absent_or_the_base_box(
    launch: Launch, sequence: Sequence, output: str, kind: type[Region], empty: bool
) -> None:
    with launch("empty_mask", output) as runtime:
        start(runtime, sequence, TARGET)
        answer = step(runtime, sequence, 1)
    assert isinstance(answer.region, kind)
    assert answer.region.is_empty() == empty


@pytest.mark.parametrize("fault", ["bool_mask", "sliced_mask"])
def test_masks_of_another_layout_arrive_whole(
    launch: Launch, sequence: Sequence, fault: str
) -> None:
    answers = []
    for faults in ("", fault):
        with launch(faults) as runtime:
            start(runtime, sequence, TARGET)
            answers.append(
                step(runtime, sequence, 1).region.rasterize((0, 0, WIDTH - 1, HEIGHT - 1))
            )
    expected = answers[0][:, ::-1] if fault == "sliced_mask" else answers[0]
    assert expected.any()
    assert (answers[1] == expected).all()


def test_a_line_on_the_left_edge_arrives(launch: Launch, sequence: Sequence) -> None:
    with launch("left_line") as runtime:
        start(runtime, sequence, TARGET)
        assert step(runtime, sequence, 1).region.bounds() == (0, 10, 0, 19)


def test_a_mask_of_another_size_than_the_frame_ends_the_run(
    launch: Launch, sequence: Sequence
) -> None:
    with launch("large_mask") as runtime, pytest.raises(TrackerException, match="the mask is"):
        start(runtime, sequence, TARGET)
        step(runtime, sequence, 1)


BAD_TARGETS: dict[str, tuple[Region, str]] = {
    "empty mask": (Mask(np.zeros((5, 5), np.uint8)), "the target mask is empty"),
    "no mask": (Mask(np.zeros((0, 0), np.uint8)), "the target mask is empty"),
    "empty": (Rectangle(0, 0, 0, 0), "empty or not finite"),
    "inverted": (Rectangle(50, 50, -20, 10), "empty or not finite"),
    "inf": (Rectangle(np.inf, 0, 5, 5), "empty or not finite"),
    "nan": (Rectangle(np.nan, 0, 5, 5), "NaN"),
    "nan corner": (Polygon([(0, 0), (9, 0), (9, np.nan)]), "NaN"),
    "inf corner": (Polygon([(0, 0), (9, 0), (9, np.inf)]), "not finite"),
    "outside": (Rectangle(WIDTH + 5, 0, 9, 9), "outside the 160x120 frame"),
}


@pytest.mark.parametrize(("target", "reason"), BAD_TARGETS.values(), ids=BAD_TARGETS.keys())
def test_a_target_that_is_none_is_a_clear_error(
    launch: Launch, sequence: Sequence, target: Region, reason: str
) -> None:
    with launch() as runtime, pytest.raises(TrackerException, match=reason) as caught:
        start(runtime, sequence, target)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("raise", 'RuntimeError: boom: "quoted", second line; 100 %'), ("exit", "the tracker left")],
)
def test_an_exception_reaches_the_toolkit_and_the_log(
    launch: Launch, sequence: Sequence, logs: Path, fault: str, reason: str
) -> None:
    with launch(fault) as runtime, pytest.raises(TrackerException) as caught:
        start(runtime, sequence, TARGET)
        for index in range(1, LENGTH):
            step(runtime, sequence, index)
    assert f"{reason} (log: {logs}" in str(caught.value)
    assert "Traceback" in log_text(logs)
    assert "run ended: 1 initializations" in log_text(logs)


def test_a_crash_leaves_its_traceback_in_the_log(
    launch: Launch, sequence: Sequence, logs: Path
) -> None:
    with launch("crash") as runtime, pytest.raises(TrackerException):
        start(runtime, sequence, TARGET)
        step(runtime, sequence, 1)
    assert "Fatal Python error: Segmentation fault" in log_text(logs)
    assert "in _crash" in log_text(logs)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"faults": "bad_weights"}, "no weights 'x.pth': run `arvot weights list`"),
        ({"output": "box", "name": "Debug_rotated"}, "'Debug_rotated' answers 'rotated' but"),
        ({"output": "ellipse"}, "unknown output 'ellipse': choose one of mask, rotated, box"),
        ({"name": "", "command": "vot_integration.server"}, "no tracker is named"),
    ],
)
def test_a_failure_to_load_reaches_the_toolkit(
    launch: Launch, sequence: Sequence, settings: dict[str, str], reason: str
) -> None:
    with launch(**settings) as runtime, pytest.raises(TrackerException) as caught:
        start(runtime, sequence, TARGET)
    assert reason in str(caught.value)


def test_more_than_one_object_is_refused(launch: Launch, sequence: Sequence) -> None:
    objects = [ObjectStatus(TARGET, {}), ObjectStatus(TARGET, {})]
    with launch() as runtime:
        assert not runtime.multiobject
        with pytest.raises(TrackerException, match="Too many objects"):
            runtime.initialize(sequence.frame(0), objects)


def test_one_process_serves_the_whole_sequence(launch: Launch, sequence: Sequence) -> None:
    # The metadata `vot: python` would make the toolkit start a process for every anchor.
    with launch() as runtime:
        start(runtime, sequence, TARGET)
        first = process_id(runtime)
        start(runtime, sequence, TARGET, 4)
        assert process_id(runtime) == first
        assert not runtime._process.has_vot_wrapper
