"""One-pass runs: frames in, files out, whole sequences or none."""

import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
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
from vot_integration.onepass import work as onepass_work
from vot_integration.onepass.jobs import OnePassJob
from vot_integration.onepass.results import ResultFolder, TimedFollower
from vot_integration.onepass.sequences import (
    BEGINS,
    BOXLESS,
    COUNTED,
    FASTER,
    FRAMELESS,
    POLYGONS,
    SHARED,
    TARGETLESS,
    OnePassSequence,
    read_set,
)
from vot_integration.onepass.work import Work, do_work, run_sequence
from vot_integration.pipeline.benchmark_run import (
    BenchmarkOptions,
    PlannedRun,
    plan_benchmark,
    run_benchmark,
)
from vot_integration.regions.shapes import MaskCrop, Shape
from vot_integration.track.choice import Choice, Chosen
from vot_integration.track.follower import Answer
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import TrackerSettings

RECORD = TrackerRecord("w", "0" * 64, "cpu", "auto", TrackerSettings())


class Counting:
    """Answers the number of the frame as x, and a small mask."""

    def __init__(self, fails_at: int | None = None, masks: bool = True) -> None:
        self.number, self.closed, self.fails_at, self.masks = 0, False, fails_at, masks
        self.target: Shape | None = None

    def initialize(self, image: Image, target: Shape) -> Answer:
        self.number, self.target = 0, target
        return Answer(target, target, 1.0)

    def track(self, image: Image) -> Answer:
        self.number += 1
        if self.number == self.fails_at:
            raise EvaluationError("the tracker failed")
        box = Box(float(self.number), 1.0, 4.0, 5.0)
        mask = MaskCrop(np.ones((6, 5), np.uint8), 2, 3)
        return Answer(mask if self.masks and self.number > 1 else box, box, 1.0)

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
    marked = np.argwhere(cv2.imread(str(masks[2]), cv2.IMREAD_GRAYSCALE))
    assert (marked.min(axis=0).tolist(), len(marked)) == ([3, 2], 30)


def test_a_tracker_that_answers_boxes_has_no_masks(tmp_path: Path) -> None:
    [first, _] = read_set(make_set(tmp_path), "otb").sequences
    run(first, tmp_path, Counting(masks=False))
    assert (tmp_path / "Ball.txt").is_file() and not (tmp_path / "masks").exists()


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
    assert data.notes == (
        f"{FRAMELESS}: Ball (4 boxes for 3 frames), Cup (4 boxes for 3 frames)",
        COUNTED,
    )
    run(data.sequences[0], tmp_path, Counting())
    assert len(np.loadtxt(tmp_path / "Ball.txt", delimiter=",")) == 4
    with pytest.raises(UsageError, match="no target in the first row"):
        read_set(make_set(tmp_path / "b", boxes="nan,nan,nan,nan\n" * 4), "otb")


def test_every_flaw_that_is_handled_is_said_once(tmp_path: Path) -> None:
    data = make_set(tmp_path, boxes="11,21,8,6\n" * 2 + "0,0,0,0\n")
    for name, new in (("Ball", "David"), ("Cup", "Jogging")):
        (data / name).rename(data / new)
    for number in range(1, 5):
        (data / "David/img" / f"{number:04d}.jpg").rename(
            data / f"David/img/{298 + number:04d}.jpg"
        )
    truth = data / "Jogging" / "groundtruth_rect.txt"
    for number in (1, 2):
        (data / "Jogging" / f"groundtruth_rect.{number}.txt").write_text(truth.read_text())
    truth.unlink()
    found = read_set(data, "otb")
    assert [entry.name for entry in found.sequences] == ["David", "Jogging_1", "Jogging_2"]
    assert found.sequences[0].frames[0].name == "0300.jpg"
    assert found.notes == (
        f"{BEGINS}: David (frame 0300)",
        f"{TARGETLESS}: David (1), Jogging_1 (1), Jogging_2 (1)",
        f"{BOXLESS}: Jogging_1 (3 boxes for 4 frames), Jogging_2 (3 boxes for 4 frames)",
        f"{SHARED}: Jogging (2 targets)",
        COUNTED,
    )


def test_polygons_and_boxes_of_a_higher_rate_are_said(tmp_path: Path) -> None:
    data = make_set(tmp_path / "vot", frames=2, boxes="1,1,9,1,9,9,1,9\n" * 2)
    for name in ("Ball", "Cup"):
        (data / name / "img").rename(data / name / "color")
        (data / name / "groundtruth_rect.txt").rename(data / name / "groundtruth.txt")
    assert read_set(data, "vot").notes == (f"{POLYGONS}: Ball, Cup",)
    rows = "".join(f'0 10 20 30 40 {n} 0 0 0 "ball"\n' for n in range(16))
    place = write(tmp_path / "nfs", {"ball/30/ball.txt": rows}) / "ball" / "30" / "ball"
    (data / "Ball" / "color").rename(place)
    assert read_set(tmp_path / "nfs", "nfs").notes == (f"{FASTER}: ball (16 for 2 frames)",)


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
            folder.check(record, data)
    (tmp_path / "r" / "record.json").write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        folder.check(RECORD, "/data")


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


class Killed(Counting):
    """Dies with its process in the second sequence."""

    begun = 0

    def initialize(self, image: Image, target: Shape) -> Answer:
        Killed.begun += 1
        return super().initialize(image, target)

    def track(self, image: Image) -> Answer:
        if Killed.begun == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().track(image)


def test_kill_9_loses_no_finished_sequence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_set(tmp_path / "data")
    planned = plan(tmp_path, "wanders")
    followers: list[Counting] = []

    def start(there: Work, environment, log, on_tick):  # type: ignore[no-untyped-def]
        do_work(there)
        return onepass_jobs.Outcome(True, "")

    def build() -> Counting:
        followers.append(Counting())
        return followers[-1]

    monkeypatch.setattr(onepass_jobs, "start_work", start)
    monkeypatch.setattr(onepass_work, "choose_follower", lambda _: Chosen(Killed, True, False))
    killed = multiprocessing.get_context("fork").Process(
        target=run_benchmark, args=(planned, Reporter())
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    done = [planned.folder.is_done(sequence) for sequence in planned.data.sequences]
    assert done == [True, False]
    before = planned.folder.boxes(planned.data.sequences[0]).stat().st_mtime_ns
    monkeypatch.setattr(onepass_work, "choose_follower", lambda _: Chosen(build, True, False))
    run_benchmark(planned, Reporter())
    assert len(followers) == 1, "the finished sequence is not run again"
    assert planned.folder.boxes(planned.data.sequences[0]).stat().st_mtime_ns == before
    assert planned.folder.is_done(planned.data.sequences[1])
    assert sorted(path.name for path in (planned.folder.path / "masks").iterdir()) == [
        "Ball",
        "Cup",
    ]


@pytest.mark.soak
def test_kill_9_of_the_command_itself(tmp_path: Path) -> None:
    make_set(tmp_path / "data")
    trackers = Path(__file__).parents[1] / "toolkit" / "trackers"
    write(tmp_path, {"w/trackers.ini": OWN.format("wanders", trackers)})
    code = "import sys; from vot_integration.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "benchmark", "run", "data", "--layout", "otb"]
    command += ["--tracker", "wanders", "--workspace", "w", "--json", "o.json"]
    results = tmp_path / "w" / "benchmarks" / "otb" / "wanders"
    with subprocess.Popen(command, cwd=tmp_path) as process:
        while not (results / "Ball.txt").is_file() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    before = (results / "Ball.txt").stat().st_mtime_ns
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    assert (results / "Ball.txt").stat().st_mtime_ns == before
    assert (results / "Cup.txt").is_file() and (tmp_path / "o.json").is_file()


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
