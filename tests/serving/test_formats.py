"""Every region format in and out through the toolkit's runtime, and many starts in one process."""

from pathlib import Path

import numpy as np
import pytest
from vot.dataset import Sequence
from vot.region import Mask, Polygon, Rectangle, Region, calculate_overlap
from vot.tracker import ObjectStatus, TrackerRuntime

from tests.serving.conftest import HEIGHT, LENGTH, WIDTH, Launch, log_text, process_id

BOUNDS = (WIDTH, HEIGHT)
PIXELS = np.zeros((HEIGHT, WIDTH), np.uint8)
PIXELS[30:60, 40:80] = 1
TARGETS: dict[str, Region] = {
    "rectangle": Rectangle(40, 30, 40, 30),
    "polygon": Polygon([(40, 30), (79, 30), (79, 59), (40, 59)]),
    "pentagon": Polygon([(40, 30), (60, 30), (79, 30), (79, 59), (40, 59)]),
    "mask": Mask(PIXELS, optimize=True),
    "full mask": Mask(PIXELS),
}


def start(runtime: TrackerRuntime, sequence: Sequence, target: Region, frame: int = 0):
    answer, _ = runtime.initialize(sequence.frame(frame), ObjectStatus(target, {}))
    assert len(answer) == 1
    return answer[0]


def step(runtime: TrackerRuntime, sequence: Sequence, frame: int) -> ObjectStatus:
    answer, _ = runtime.update(sequence.frame(frame), [])
    assert len(answer) == 1
    return answer[0]


def trace(runtime: TrackerRuntime, sequence: Sequence, target: Region, frame: int) -> list[str]:
    """All answers of a run to the end of the sequence, exactly as the toolkit would write them."""
    answers = [start(runtime, sequence, target, frame)]
    answers += [step(runtime, sequence, i) for i in range(frame + 1, LENGTH)]
    return [f"{answer.region} {answer.properties}" for answer in answers]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
@pytest.mark.parametrize(
    ("output", "kind"), [("mask", Mask), ("rotated", Polygon), ("box", Rectangle)]
)
def test_every_format_in_and_out(
    launch: Launch, sequence: Sequence, output: str, kind: type[Region], target: Region
) -> None:
    with launch(output=output) as runtime:
        first = start(runtime, sequence, target)
        # The toolkit's rasterizer leaves out part of a row where three corners are in line.
        assert calculate_overlap(first.region, target, BOUNDS) > 0.98
        answer = step(runtime, sequence, 1)
    assert isinstance(answer.region, kind)
    assert answer.properties == {"confidence": "0.750000"}
    # The debug tracker fills the box by a disc and moves it a pixel or so.
    assert calculate_overlap(answer.region, target, BOUNDS) > (0.8 if output == "box" else 0.65)


@pytest.mark.parametrize(("suffix", "kind"), [("_rotated", Polygon), ("_box", Rectangle)])
def test_the_name_chooses_the_output(
    launch: Launch, sequence: Sequence, suffix: str, kind: type[Region]
) -> None:
    with launch(name="Debug" + suffix) as runtime:
        start(runtime, sequence, TARGETS["mask"])
        assert isinstance(step(runtime, sequence, 1).region, kind)


@pytest.mark.parametrize("output", ["mask", "rotated", "box"])
def test_a_tracker_without_masks_answers_boxes(
    launch: Launch, sequence: Sequence, output: str
) -> None:
    with launch("no_mask", output) as runtime:
        start(runtime, sequence, TARGETS["rectangle"])
        assert isinstance(step(runtime, sequence, 1).region, Rectangle)


def test_mask_outside_the_frame_is_cut_to_it(launch: Launch, sequence: Sequence) -> None:
    with launch() as runtime:
        mask = np.ones((6, 6), np.uint8)
        answer = start(runtime, sequence, Mask(mask, offset=(-3, HEIGHT - 4)))
    assert answer.region.bounds() == (0, HEIGHT - 4, 2, HEIGHT - 1)


def test_every_start_in_one_process_equals_a_fresh_process(
    launch: Launch, sequence: Sequence
) -> None:
    anchors = [(0, "rectangle"), (3, "mask"), (5, "polygon"), (2, "mask")]
    fresh = []
    for frame, target in anchors:
        with launch() as runtime:
            fresh.append(trace(runtime, sequence, TARGETS[target], frame))
    processes = set()
    with launch() as runtime:
        for _ in range(5):
            for (frame, target), expected in zip(anchors, fresh, strict=True):
                assert trace(runtime, sequence, TARGETS[target], frame) == expected
                processes.add(process_id(runtime))
    assert len(processes) == 1


def test_a_start_leaves_nothing_of_the_run_before(launch: Launch, sequence: Sequence, logs) -> None:
    with launch(output="box") as runtime:
        start(runtime, sequence, Rectangle(10, 10, 20, 20))
        step(runtime, sequence, 1)
        start(runtime, sequence, TARGETS["rectangle"], 2)
        Path(sequence.frame(3).filename("color")).write_bytes(b"")
        kept = step(runtime, sequence, 3)
    assert calculate_overlap(kept.region, TARGETS["rectangle"], BOUNDS) == 1.0
    assert "2 initializations, 2 frames, 1 unreadable frames" in log_text(logs)


@pytest.mark.soak
def test_memory_stays_constant_over_starts_and_frames(launch: Launch, sequence: Sequence) -> None:
    with launch() as runtime:
        for round_number in range(220):
            trace(runtime, sequence, TARGETS["mask"], 0)
            for _ in range(20):
                step(runtime, sequence, 1)
            if round_number == 20:
                before = resident_kib(process_id(runtime))
        growth = resident_kib(process_id(runtime)) - before
    assert growth < 4096


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmRSS")).split()[1])
