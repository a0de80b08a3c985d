"""The session of a tracker of several objects: order, new objects, frames that cannot be read."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.errors import UsageError
from alpharefine.types import Box, Estimate, Image
from vot_integration.regions.answers import Output
from vot_integration.regions.shapes import MaskCrop
from vot_integration.serving.run_log import Tally
from vot_integration.serving.session import MultiSession

BOXES = (Box(10, 12, 20, 16), Box(60, 40, 12, 30), Box(30, 70, 40, 10))


class Mover:
    """Moves every box by a pixel a frame; the second object is absent; NaN on demand."""

    def initialize(self, image: Image, targets: Sequence[Box]) -> None:
        self.boxes: list[Box] = []
        self.spoiled = False
        self.add(image, targets)

    def add(self, image: Image, targets: Sequence[Box]) -> None:
        self.boxes += targets

    def track(self, image: Image) -> list[Estimate]:
        self.boxes = [box._replace(x=box.x + 1) for box in self.boxes]
        estimates = [Estimate(box, absent=n == 1) for n, box in enumerate(self.boxes)]
        if self.spoiled:
            estimates[0] = Estimate(Box(float("nan"), 0, 1, 1))
        return estimates


@pytest.fixture
def frame(tmp_path: Path) -> str:
    file = tmp_path / "1.png"
    cv2.imwrite(str(file), np.zeros((100, 120, 3), np.uint8))
    return str(file)


def session(output: Output = Output.BOX) -> tuple[MultiSession, Mover, Tally]:
    tracker, tally = Mover(), Tally()
    return MultiSession(tracker, output, tally), tracker, tally


def test_all_objects_are_answered_in_order_and_absent_ones_too(frame: str) -> None:
    served, _, _ = session()
    assert [reply.shape for reply in served.begin(frame, BOXES)] == list(BOXES)
    shapes = [reply.shape for reply in served.go_on(frame, [])]
    assert shapes == [BOXES[0]._replace(x=11), Box(0, 0, 0, 0), BOXES[2]._replace(x=31)]


def test_an_absent_object_is_an_empty_mask(frame: str) -> None:
    served, _, _ = session(Output.MASK)
    served.begin(frame, BOXES)
    shape = served.go_on(frame, [])[1].shape
    assert isinstance(shape, MaskCrop) and not shape.pixels.any()


def test_new_objects_are_answered_behind_the_others(frame: str) -> None:
    served, _, tally = session()
    served.begin(frame, BOXES[:1])
    shapes = [reply.shape for reply in served.go_on(frame, BOXES[1:])]
    assert shapes == [BOXES[0]._replace(x=11), *BOXES[1:]]
    assert len(served.go_on(frame, [])) == 3
    assert tally["new objects"] == 1


def test_a_frame_that_cannot_be_read_keeps_all_answers(frame: str, tmp_path: Path) -> None:
    served, _, tally = session()
    served.begin(frame, BOXES)
    before = [reply.shape for reply in served.go_on(frame, [])]
    kept = served.go_on(str(tmp_path / "gone.png"), [])
    assert [reply.shape for reply in kept] == before
    assert {reply.confidence for reply in kept} == {0.0}
    assert tally["unreadable frames"] == 3
    with pytest.raises(UsageError, match="new objects cannot be read"):
        served.go_on(str(tmp_path / "gone.png"), BOXES[:1])


def test_one_bad_answer_keeps_that_object_alone(frame: str) -> None:
    served, tracker, _ = session()
    served.begin(frame, BOXES)
    served.go_on(frame, [])
    tracker.spoiled = True
    shapes = [reply.shape for reply in served.go_on(frame, [])]
    assert shapes[0] == BOXES[0]._replace(x=11) and shapes[2] == BOXES[2]._replace(x=32)


def test_a_frame_before_a_target_and_no_target_are_refused(frame: str) -> None:
    served, _, _ = session()
    with pytest.raises(UsageError, match="before a target"):
        served.go_on(frame, [])
    with pytest.raises(UsageError, match="no object"):
        served.begin(frame, [])
    with pytest.raises(UsageError, match="outside"):
        served.begin(frame, [Box(500, 500, 5, 5)])
