"""Tuning with trials that are computed in place of being run."""

import json
import multiprocessing
import os
import pickle
import signal
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from alpharefine.types import Image
from tests.toolkit.make import RECORD, make_sequences
from vot_integration.cli import main
from vot_integration.evaluation.jobs import Outcome
from vot_integration.pipeline import tune_plan as pipeline
from vot_integration.regions.shapes import Shape
from vot_integration.sequences.folder import read_sequence_folder
from vot_integration.toolkit.regions import region_box, region_shape
from vot_integration.track.follower import Answer
from vot_integration.tuning.jobs import TrialJob, TrialWork
from vot_integration.tuning.measure import (
    MARGIN,
    Answers,
    Measured,
    is_hopeless,
    measure_all,
    value_of,
)
from vot_integration.workspaces.records import tuned_notes

NAMES = [f"s{number}" for number in range(6)]
BEST = 0.3


def compute(work: TrialWork) -> Answers:
    """A trial whose areas are best where size_rate is `BEST`."""
    rate = work.values.get("config.size_rate", 0.38)
    areas = [0.8 - abs(rate - BEST) - 0.01 * number for number in range(len(work.sequences))]
    measured, running = [], []
    for number, (path, area) in enumerate(zip(work.sequences, areas, strict=True), start=1):
        measured.append(Measured(path.name, auc=area))
        running.append(value_of(measured, work.interval))
        if number < len(areas) and is_hopeless(running, work.best, len(areas)):
            return Answers(measured, running, is_pruned=True)
    return Answers(measured, running)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[TrialJob]:
    """The jobs that ran; sequences to tune on and held out are in the working folder."""
    jobs: list[TrialJob] = []

    def run(job: TrialJob, environment: object, on_tick: Callable[[], None]) -> Outcome:
        jobs.append(job)
        job.file.write_bytes(pickle.dumps(compute(job.work)))
        on_tick()
        return Outcome(True, "")

    monkeypatch.setattr(TrialJob, "run", run)
    monkeypatch.setattr(pipeline, "make_record", lambda *_: RECORD)
    monkeypatch.chdir(tmp_path)
    make_sequences(tmp_path / "tune", NAMES)
    make_sequences(tmp_path / "held", ["h0", "h1", "h2"])
    return jobs


def tune(*options: str, trials: int = 12) -> int:
    given = ["--sequences", "tune", "--trials", str(trials), "--device", "cpu", *options]
    return main(["tune", "SiamRPNpp", *given])


def test_the_best_settings_are_found_judged_and_written(
    ran: list[TrialJob], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune("--held-out", "held", "--json", "out.json", trials=14) == 0
    found = json.loads(Path("out.json").read_text())
    config = tomllib.loads(Path("SiamRPNpp-tuned.toml").read_text())
    rate = config["config.size_rate"]
    assert abs(rate - BEST) < abs(0.38 - BEST), "better than the tracker's own"
    assert found["best"]["value"] >= found["default"] == pytest.approx(0.8 - 0.08 - 0.025)
    assert found["tuned_on"] == config["tuned"]["sequences"] == NAMES
    assert found["trials"] == 14 and found["pruned"] > 0
    held = found["held_out"]
    difference = 0.08 - abs(rate - BEST)
    assert held["difference"] == pytest.approx(difference)
    assert held["interval"] == pytest.approx([difference, difference])
    assert held["looks"] == 1
    page = Path("tune-SiamRPNpp.html").read_text()
    assert "config.size_rate" in page and "held out" in page and "Importance" in page
    assert "held out: " in capsys.readouterr().out


def test_trials_are_neither_lost_nor_repeated(ran: list[TrialJob]) -> None:
    assert tune(trials=4) == 0
    assert [job.number for job in ran] == [0, 1, 2, 3]
    assert tune(trials=6) == 0
    assert [job.number for job in ran] == [0, 1, 2, 3, 4, 5]
    assert len({job.work.values["config.size_rate"] for job in ran}) == 6
    assert tune(trials=6) == 0
    assert len(ran) == 6


def test_the_first_trial_is_the_trackers_own(ran: list[TrialJob]) -> None:
    assert tune(trials=1) == 0
    assert ran[0].work.values["config.size_rate"] == 0.38
    assert ran[0].work.best == ()


def test_a_trial_that_was_killed_is_run_anew(
    ran: list[TrialJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = TrialJob.run

    def die(job: TrialJob, environment: object, on_tick: object) -> Outcome:
        raise KeyboardInterrupt

    assert tune(trials=2) == 0
    monkeypatch.setattr(TrialJob, "run", die)
    assert tune(trials=3) == 130
    monkeypatch.setattr(TrialJob, "run", whole)
    assert tune(trials=3) == 0
    assert [job.number for job in ran] == [0, 1, 3]


@pytest.mark.parametrize("has_answered", [True, False])
def test_kill_9_neither_loses_nor_repeats_a_trial(
    ran: list[TrialJob], monkeypatch: pytest.MonkeyPatch, has_answered: bool
) -> None:
    """The third trial dies with its parent: before its answer, or before that is kept."""
    whole = TrialJob.run

    def die(job: TrialJob, environment: object, on_tick: Callable[[], None]) -> Outcome:
        if job.number == 2:
            if has_answered:
                job.file.write_bytes(pickle.dumps(compute(job.work)))
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(job, {}, on_tick)

    monkeypatch.setattr(TrialJob, "run", die)
    killed = multiprocessing.get_context("fork").Process(target=tune, kwargs={"trials": 4})
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert list(Path().glob(".arvot-tune-*"))
    # As Optuna leaves it when it is killed while it writes.
    Path("tune-SiamRPNpp.journal.lock").symlink_to("tune-SiamRPNpp.journal")
    with Path("tune-SiamRPNpp.journal").open("a") as journal:
        journal.write('{"op_code":')
    monkeypatch.setattr(TrialJob, "run", whole)
    assert tune("--json", "out.json", trials=4) == 0
    assert [job.number for job in ran] == ([3] if has_answered else [3, 4])
    assert json.loads(Path("out.json").read_text())["trials"] == 4
    assert not list(Path().glob(".arvot-tune-*"))


def test_held_out_sequences_are_looked_at_once(ran: list[TrialJob]) -> None:
    assert tune("--held-out", "held", trials=3) == 0
    assert [job.number for job in ran[-2:]] == ["default", "tuned"]
    assert tune("--held-out", "held", trials=3) == 0
    assert len(ran) == 5


def test_a_failing_trial_is_shown_and_others_are_kept(
    ran: list[TrialJob], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(trials=2) == 0
    monkeypatch.setattr(TrialJob, "run", lambda *_: Outcome(False, "the tracker exploded"))
    assert tune(trials=3) == 1
    assert "the tracker exploded" in capsys.readouterr().err
    assert not list(Path().glob(".arvot-tune-*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--held-out", "tune"], "has s0, which is tuned on"),
        (["--sequences", "nowhere"], "there is no sequence folder nowhere"),
        (["--trials", "0"], "--trials 0"),
        (["--objective", "eao", "--eao-interval", "9", "3"], "--eao-interval 9 3"),
        (["--space", "space.toml"], "there is no setting 'speed'"),
        (["--study", "no/a.journal"], "--study"),
    ],
)
def test_bad_input_is_one_line(
    ran: list[TrialJob], capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    Path("space.toml").write_text('"config.speed" = [0.0, 1.0]')
    assert tune(*options) == 2
    shown = capsys.readouterr().err
    assert message in shown and shown.count("\n") == 1
    assert not ran


def test_two_processes_do_not_share_a_study(
    ran: list[TrialJob], capsys: pytest.CaptureFixture[str]
) -> None:
    with FileLock(".tune-SiamRPNpp.journal.busy"):
        assert tune(trials=1) == 2
    shown = capsys.readouterr()
    assert "another process is at work on" in shown.err and not shown.out
    assert tune(trials=1) == 0


def test_a_study_is_of_one_tuning(ran: list[TrialJob], capsys: pytest.CaptureFixture[str]) -> None:
    assert tune(trials=1) == 0
    capsys.readouterr()
    assert tune("--objective", "eao", trials=2) == 2
    shown = capsys.readouterr()
    assert "is of another tuning: objective, interval differ" in shown.err and not shown.out


def test_only_what_cannot_win_is_pruned() -> None:
    best = [0.5, 0.5, 0.5, 0.5]
    assert not is_hopeless([0.1], best, 4), "one sequence says little"
    assert is_hopeless([0.1, 0.1], best, 4)
    assert not is_hopeless([0.5, 0.5 - MARGIN / 2], best, 4)
    assert not is_hopeless([0.1, 0.1], [], 4)


class Oracle:
    """Answers the ground truth of the sequence that a target begins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.sequences = [read_sequence_folder(folder) for folder in folders]
        self.place = 0

    def initialize(self, image: Image, target: Shape) -> Answer:
        self.shown: list[Any] = [image]
        self.regions = self.sequences[0].regions if len(self.sequences) == 1 else ()
        self.frame = self._frame(image)
        return self._answer()

    def track(self, image: Image) -> Answer:
        self.frame = self._frame(image)
        return self._answer()

    def close(self) -> None:
        pass

    def _frame(self, image: Image) -> int:
        # The square moves by two pixels a frame.
        columns = np.flatnonzero((np.abs(image[..., 2].astype(int) - 20) < 12).any(axis=0))
        return round((columns.mean() - 15.5) / 2)

    def _answer(self) -> Answer:
        region = self.regions[min(max(self.frame, 0), len(self.regions) - 1)]
        return Answer(region_shape(region), region_box(region), 1.0)


@pytest.mark.parametrize("objective", ["auc", "eao"])
def test_a_perfect_tracker_has_all(tmp_path: Path, objective: Any) -> None:
    folder = make_sequences(tmp_path / "s", ["one"]) / "one"
    found = measure_all(Oracle([folder]), [read_sequence_folder(folder)], objective, (2, 8))
    assert found.value > 0.9


def test_scores_on_what_was_tuned_on_say_so() -> None:
    overrides = {"tracker": "T", "values": {}, "tuned": {"sequences": ["a", "b"]}}
    [note] = tuned_notes(overrides, ["b", "c"])
    assert note.startswith("tuned on these") and "such as b" in note
    assert tuned_notes(overrides, ["c"]) == tuned_notes({}, ["a"]) == []
