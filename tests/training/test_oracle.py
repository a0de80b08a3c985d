"""The oracle experiment with refiners whose answers are known, and its command."""

import csv
import json
import logging
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from alpharefine.data.readers import read_source
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import box_iou
from alpharefine.geometry.refine_crop import crop_window
from alpharefine.refinement.config import RefinerConfig
from alpharefine.refinement.refiner import Refinement
from alpharefine.training.oracle import GivenBox, OracleConfig, measure_oracle
from alpharefine.types import Box
from tests.training.layouts import blank_labels, write_image, write_labels, write_text
from vot_integration.cli import main

H, W = 60, 80
TRUTH = Box(20, 15, 30, 24)

Answer = Callable[[Box], tuple[Box | None, NDArray[np.uint8] | None]]


class FakeRefiner:
    """Answers what it is told to, and remembers what it was asked."""

    config = RefinerConfig()

    def __init__(self, outputs: set[str], answer: Answer) -> None:
        self.outputs = frozenset(outputs)
        self.references: list[NDArray[np.uint8]] = []
        self.searched: list[NDArray[np.uint8]] = []
        self.given: list[Box] = []
        self._answer = answer

    def initialize(self, image: NDArray[np.uint8], box: Box) -> None:
        assert box == TRUTH
        self.references.append(image)

    def refine(self, image: NDArray[np.uint8], box: Box) -> Refinement:
        self.searched.append(image)
        self.given.append(box)
        return Refinement(crop_window(box, 64), *self._answer(box), None)


def mask_of(box: Box) -> NDArray[np.uint8]:
    mask = blank_labels(H, W)
    x, y, w, h = map(int, box)
    mask[y : y + h, x : x + w] = 1
    return mask


def truth(box: Box) -> tuple[Box, NDArray[np.uint8]]:
    return TRUTH, mask_of(TRUTH)


def measure(
    root: Path, refiner: FakeRefiner, config: OracleConfig | None = None
) -> dict[tuple[str, str], tuple[int, float]]:
    source = read_source(root)
    scores = measure_oracle(source, refiner, config or OracleConfig())  # type: ignore[arg-type]
    return {(score.given, score.output): (score.frames, score.mean_iou) for score in scores}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    for t in range(10):
        write_image(tmp_path / f"data/v/color/{t:04d}.jpg", H, W, t)
        write_labels(tmp_path / f"data/v/masks/{t:04d}.png", mask_of(TRUTH))
    return tmp_path / "data"


def test_right_answers_score_one_whatever_the_input(video: Path) -> None:
    scores = measure(video, FakeRefiner({"box", "mask"}, truth))
    for given in ("true box", "true center", "jitter 0.10", "jitter 0.25", "jitter 0.40"):
        for output in ("box", "mask box", "mask"):
            assert scores[given, output] == (9, pytest.approx(1))
    inputs = [scores[given, "input"][1] for given in ("true box", "jitter 0.10", "jitter 0.40")]
    assert inputs[0] == pytest.approx(1)
    assert 1 > inputs[1] > inputs[2] > 0.2


def test_given_boxes_are_as_far_off_as_they_say(video: Path) -> None:
    refiner = FakeRefiner({"box"}, truth)
    given = (GivenBox("center", 0.25), GivenBox("shift", 0.0, 0.25))
    measure(video, refiner, OracleConfig(given))
    centerd, shifted = refiner.given[::2], refiner.given[1::2]
    for box in centerd:
        assert box.x + box.w / 2 == pytest.approx(TRUTH.x + TRUTH.w / 2)
        assert box.y + box.h / 2 == pytest.approx(TRUTH.y + TRUTH.h / 2)
    assert len({box.w for box in centerd}) == 9
    reach = 0.25 * 2 * (TRUTH.w * TRUTH.h) ** 0.5 / 2
    moved = [max(abs(box.x - TRUTH.x), abs(box.y - TRUTH.y)) for box in shifted]
    assert all(box[2:] == pytest.approx(TRUTH[2:]) for box in shifted)
    assert 0.5 * reach < max(moved) <= reach


def test_what_is_not_answered_counts_as_the_input_box(video: Path) -> None:
    def nothing(box: Box) -> tuple[None, NDArray[np.uint8]]:
        return None, blank_labels(H, W)

    scores = measure(video, FakeRefiner({"box", "mask"}, nothing))
    for given in ("true box", "jitter 0.25"):
        assert scores[given, "box"] == scores[given, "mask box"] == scores[given, "input"]
        assert scores[given, "mask"] == (9, 0)


def test_half_a_mask_scores_a_half(video: Path) -> None:
    half = TRUTH._replace(w=TRUTH.w / 2)
    scores = measure(video, FakeRefiner({"mask"}, lambda box: (None, mask_of(half))))
    assert scores["true box", "mask"][1] == pytest.approx(0.5)
    assert scores["true box", "mask box"][1] == pytest.approx(0.5)
    assert ("true box", "box") not in scores


def test_frames_and_targets_are_spread_evenly(video: Path) -> None:
    refiner = FakeRefiner({"box"}, truth)
    measure(video, refiner, OracleConfig((GivenBox("truth"),), frames=3))
    expected = [cv2.imread(str(video / f"v/color/{t:04d}.jpg"))[..., ::-1] for t in (0, 3, 6, 9)]
    assert np.array_equal(refiner.references[0], expected[0])
    assert len(refiner.searched) == 3
    for image, wanted in zip(refiner.searched, expected[1:], strict=True):
        assert np.array_equal(image, wanted)
    with pytest.raises(UsageError, match="1 or more"):
        OracleConfig(frames=0)


def test_boxes_alone_have_no_mask_to_compare(tmp_path: Path) -> None:
    for t in range(3):
        write_image(tmp_path / f"v/color/{t}.jpg", H, W, t)
    write_text(tmp_path / "v/groundtruth.txt", *[",".join(map(str, TRUTH))] * 3)
    scores = measure(tmp_path, FakeRefiner({"box", "mask"}, truth))
    assert {output for _, output in scores} == {"input", "box", "mask box"}
    assert scores["true box", "mask box"] == (2, pytest.approx(1))


def test_a_still_is_compared_with_a_moved_view(tmp_path: Path) -> None:
    for k in range(6):
        write_image(tmp_path / f"images/{k}.jpg", H, W, k)
        write_labels(tmp_path / f"masks/{k}.png", mask_of(TRUTH))
    refiner = FakeRefiner({"box"}, lambda box: (box, None))
    scores = measure(tmp_path, refiner, OracleConfig((GivenBox("truth"),), targets=4))
    assert scores["truth", "box"] == (4, pytest.approx(1))
    pairs = zip(refiner.references, refiner.searched, strict=True)
    assert all(a.shape != b.shape or not np.array_equal(a, b) for a, b in pairs)
    assert len({tuple(box) for box in refiner.given}) == 4


def test_broken_frames_are_skipped_and_counted(
    video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (video / "v/color/0004.jpg").write_bytes(b"nothing")
    with caplog.at_level(logging.WARNING):
        scores = measure(video, FakeRefiner({"box"}, truth))
    assert scores["true box", "box"][0] == 8
    assert "1 skipped so far" in caplog.text and "0004.jpg" in caplog.text
    for path in (video / "v/color").iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match="no frame with a target can be used"):
        measure(video, FakeRefiner({"box"}, truth))


def test_box_iou() -> None:
    assert box_iou(Box(0, 0, 10, 10), Box(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert box_iou(Box(0, 0, 10, 10), Box(20, 20, 5, 5)) == 0
    assert box_iou(Box(0, 0, 0, 0), Box(0, 0, 0, 0)) == 0


def test_the_command_writes_one_table(
    video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--json", str(tmp_path / "o.json"), "--csv", str(tmp_path / "o.csv")]
    options = ["--weights", "random:3", "--frames", "1", "--device", "cpu"]
    assert main(["train", "oracle", str(video), *options, *files]) == 0
    out = capsys.readouterr().out
    assert "ar_lite" in out and "jitter 0.25" in out and "Box of mask" in out
    document = json.loads((tmp_path / "o.json").read_text())
    assert document["network"] == "ar_lite" and document["weights"] == "random:3"
    with (tmp_path / "o.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(document["rows"]) == 5 * 4
    assert [row["output"] for row in rows[:4]] == ["input", "box", "mask box", "mask"]
    assert float(rows[1]["mean_iou"]) == pytest.approx(document["rows"][1]["mean_iou"])


BAD = {
    "data": (["nowhere"], "expected <sequence>/color"),
    "kind": (["DATA", "--kind", "lasot"], "not a LaSOT folder"),
    "frames": (["DATA", "--frames", "0"], "1 or more"),
    "weights": (["DATA", "--weights", "nothing"], "unknown weights"),
    "other network": (["DATA", "--network", "ar_v20", "--weights", "lite"], "ar_v20"),
    "no weights": (["DATA", "--network", "ar_c21_r18"], "not on this machine"),
    "csv": (["DATA", "--csv", "no/such/folder/a.csv"], "no folder"),
    "json": (["DATA", "--json", str(Path(__file__).parent)], "is a folder"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(
    case: str,
    video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ARVOT_HOME", str(tmp_path / "home"))
    arguments, message = BAD[case]
    given = [str(video) if argument == "DATA" else argument for argument in arguments]
    assert main(["train", "oracle", *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("arvot: ") and error.count("\n") == 1 and message in error
