"""One-pass runs: frames in, files out, whole sequences or none."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.errors import UsageError
from alpharefine.types import Box, Image
from tests.onepass.test_score import write
from vot_integration.errors import EvaluationError
from vot_integration.onepass import jobs as onepass_jobs
from vot_integration.onepass.jobs import OnePassJob
from vot_integration.onepass.results import ResultFolder, TimedFollower
from vot_integration.onepass.sequences import OnePassSequence, read_set
from vot_integration.onepass.work import Work, run_sequence
from vot_integration.pipeline.benchmark_run import (
    BenchmarkOptions,
    PlannedRun,
    plan_benchmark,
    run_benchmark,
)
from vot_integration.regions.shapes import MaskCrop, Shape
from vot_integration.track.choice import Choice
from vot_integration.track.follower import Answer
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import TrackerSettings

RECORD = TrackerRecord("w", "0" * 64, "cpu", "auto", TrackerSettings())


class Counting:
    """Answers the number of the frame as x, and a small mask."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.number, self.closed, self.fails_at = 0, False, fails_at
        self.target: Shape | None = None

    def initialize(self, image: Image, target: Shape) -> Answer:
        self.number, self.target = 0, target
        return Answer(target, target, 1.0)

    def track(self, image: Image) -> Answer:
        self.number += 1
        if self.number == self.fails_at:
            raise EvaluationError("the tracker failed")
        mask = MaskCrop(np.ones((6, 5), np.uint8), 2, 3)
        return Answer(mask, Box(float(self.number), 1.0, 4.0, 5.0), 1.0)

    def close(self) -> None:
        self.closed = True


def make_set(folder: Path, frames: int = 4, boxes: str = "11,21,8,6\n" * 4, shade: int = 0) -> Path:
    for name in ("Ball", "Cup"):
        write(folder, {f"{name}/groundtruth_rect.txt": boxes})
        (folder / name / "img").mkdir()
        for number in range(1, frames + 1):
            picture = np.full((40, 60, 3), shade + number, np.uint8)
            cv2.imwrite(str(folder / name / "img" / f"{number:04d}.jpg"), picture)
    return folder


def run(sequence: OnePassSequence, folder: Path, follower: Counting, masks: bool = True) -> None:
    clock = itertools.count().__next__
    run_sequence(TimedFollower(follower, clock), sequence, ResultFolder(folder), masks)


def test_boxes_count_pixels_as_the_truth_does_and_trackers_from_zero(tmp_path: Path) -> None:
    [first, _] = read_set(make_set(tmp_path), "otb").sequences
    follower = Counting()
    run(first, tmp_path, follower)
    assert follower.target == Box(10, 20, 8, 6) and follower.closed
    rows = np.loadtxt(tmp_path / "Ball.txt", delimiter=",")
    np.testing.assert_array_equal(rows[0], [11, 21, 8, 6])
    np.testing.assert_array_equal(rows[1:, 0], [2, 3, 4])
    assert (tmp_path / "Ball_time.txt").read_text() == "1.00000000\n" * 4
    masks = sorted((tmp_path / "masks" / "Ball").iterdir())
    assert len(masks) == 4
    marked = np.argwhere(cv2.imread(str(masks[1]), cv2.IMREAD_GRAYSCALE))
    assert (marked.min(axis=0).tolist(), len(marked)) == ([3, 2], 30)


def test_a_relative_folder_is_found_from_other_working_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_set(tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    data = read_set(Path("set"), "otb")
    assert data.root == tmp_path / "set"
    for sequence in data.sequences:
        assert sequence.frames[0].is_absolute() and sequence.frames[0].is_file()


def test_an_interrupted_sequence_leaves_nothing_that_counts(tmp_path: Path) -> None:
    [first, _] = read_set(make_set(tmp_path), "otb").sequences
    with pytest.raises(EvaluationError):
        run(first, tmp_path / "r", Counting(fails_at=2))
    assert not ResultFolder(tmp_path / "r").is_done(first)
    # As kill -9 between masks and boxes leaves it.
    (tmp_path / "r" / "masks" / "Ball").mkdir(parents=True)
    (tmp_path / "r" / "masks" / "Ball" / "stale.png").touch()
    run(first, tmp_path / "r", Counting())
    assert ResultFolder(tmp_path / "r").is_done(first)
    assert not (tmp_path / "r" / "masks" / "Ball" / "stale.png").exists()


def test_an_unreadable_frame_keeps_the_last_answer_and_takes_no_time(tmp_path: Path) -> None:
    data = make_set(tmp_path)
    (data / "Ball" / "img" / "0003.jpg").write_bytes(b"")
    [first, _] = read_set(data, "otb").sequences
    run(first, tmp_path, Counting(), masks=False)
    rows = np.loadtxt(tmp_path / "Ball.txt", delimiter=",")
    np.testing.assert_array_equal(rows[1:, 0], [2, 2, 3])
    assert (tmp_path / "Ball_time.txt").read_text().split("\n")[2] == "0.00000000"
    assert not (tmp_path / "masks").exists()


def test_flaws_of_a_set_are_said(tmp_path: Path) -> None:
    data = read_set(make_set(tmp_path, frames=3), "otb")
    assert "4 boxes for 3 frames; the last answer is repeated" in data.notes[0]
    run(data.sequences[0], tmp_path, Counting())
    assert len(np.loadtxt(tmp_path / "Ball.txt", delimiter=",")) == 4
    with pytest.raises(UsageError, match="no target in the first row"):
        read_set(make_set(tmp_path / "b", boxes="nan,nan,nan,nan\n" * 4), "otb")


def test_a_kept_truth_is_known_by_its_one_box(tmp_path: Path) -> None:
    folder = tmp_path / "test" / "GOT-10k_Test_000001"
    write(folder, {"groundtruth.txt": "1,2,30,20\n", "meta_info.ini": "[METAINFO]\n"})
    for number in (1, 2, 3):
        cv2.imwrite(str(folder / f"{number:08d}.jpg"), np.zeros((40, 60, 3), np.uint8))
    data = read_set(tmp_path, "got10k")
    assert not data.has_truth
    [only] = data.sequences
    assert (only.count, only.rows, only.box) == (3, 3, Box(1, 2, 30, 20))


def test_other_settings_are_refused_where_results_are(tmp_path: Path) -> None:
    folder = ResultFolder(tmp_path / "r")
    folder.record(RECORD, "/data")
    folder.record(replace(RECORD, environment={"Python": "9"}), "/data")
    assert json.loads((tmp_path / "r" / "record.json").read_text())["weights"] == "w"
    for record, data, word in (
        (replace(RECORD, sha256="1" * 64), "/data", "sha256"),
        (RECORD, "/other", "data"),
    ):
        with pytest.raises(UsageError, match=f"made with another {word}"):
            folder.record(record, data)


OWN = """[{0}]
protocol = traxpython
command = {0}
paths = {1}
"""


def plan(tmp_path: Path, tracker: str) -> PlannedRun:
    trackers = Path(__file__).parents[1] / "toolkit" / "trackers"
    write(tmp_path, {"w/trackers.ini": OWN.format(tracker, trackers)})
    data = tmp_path / "data"
    options = BenchmarkOptions(data, "otb", [tracker], tmp_path / "w")
    [planned] = plan_benchmark(options)
    return planned


class Reporter:
    def __init__(self) -> None:
        self.runs: list[int] = []

    def stage(self, text: str) -> None:
        self.text = text

    def progress(self, progress) -> None:  # type: ignore[no-untyped-def]
        self.runs.append(progress.runs)


def test_a_tracker_of_ones_own_runs_in_processes_and_goes_on(tmp_path: Path) -> None:
    make_set(tmp_path / "data")
    planned = plan(tmp_path, "wanders")
    reporter = Reporter()
    run_benchmark(planned, reporter)
    results = tmp_path / "w" / "benchmarks" / "otb" / "wanders"
    before = (results / "Cup.txt").stat().st_mtime_ns
    (results / "Ball.txt").unlink()
    run_benchmark(planned, reporter)
    assert (results / "Ball.txt").is_file()
    assert (results / "Cup.txt").stat().st_mtime_ns == before
    assert reporter.runs[-1] == 2


def test_a_trackers_failure_is_shown(tmp_path: Path) -> None:
    make_set(tmp_path / "data", frames=12, boxes="11,21,8,6\n" * 12, shade=200)
    with pytest.raises(EvaluationError, match="0 of 2 sequences have results") as failure:
        run_benchmark(plan(tmp_path, "explodes"), Reporter())
    assert "the network exploded" in str(failure.value)


@pytest.mark.parametrize("send", [False, True])
def test_a_parcel_comes_back_as_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, send: bool
) -> None:
    """What a machine of a cluster does, but for the tracker."""
    sequences = read_set(make_set(tmp_path / "data"), "otb").sequences
    choice = Choice("Mine", TrackerSettings(), tmp_path)
    work = Work(choice, sequences, tmp_path / "results", True)
    section = {"Mine": {"protocol": "trax", "command": "mine"}}
    job = OnePassJob(work, replace(RECORD, weights="own tracker"), section, tmp_path / "log")

    def start(there: Work, environment, log, on_tick):  # type: ignore[no-untyped-def]
        assert (there.sequences == sequences) is not send
        there.results.mkdir()
        run(there.sequences[0], there.results, Counting())
        return onepass_jobs.Outcome(False, "the second one failed")

    monkeypatch.setattr(onepass_jobs, "start_work", start)
    assert job.weights() is None and list(job.names) == ["Ball", "Cup"]
    outcome = job.store(job.parcel(send=send).work(None, {}))
    assert outcome.output == "the second one failed"
    folder = ResultFolder(tmp_path / "results")
    assert [folder.is_done(sequence) for sequence in sequences] == [True, False]
    assert len(list((folder.path / "masks" / "Ball").iterdir())) == 4
