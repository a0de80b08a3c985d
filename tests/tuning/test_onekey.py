"""From a recipe to a tuned tracker, with training and trials computed in place of being run."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alpharefine.training.run import check_inputs
from tests.toolkit.make import RECORD, make_sequences
from vot_integration.cli import main
from vot_integration.evaluation.jobs import Outcome
from vot_integration.pipeline import onekey
from vot_integration.pipeline import tune_plan as tuning
from vot_integration.tuning.jobs import TrialJob
from vot_integration.tuning.measure import Answers, Measured

RECIPE = """
tracker = "ARDiMP_lite_box"
held_out = "held"
[train]
family = "dimp"
recipe = "base_lite"
[score]
sequences = "score"
first_epoch = 2
[tune]
sequences = "score"
trials = 2
"""
QUALITY = {"002": 0.4, "003": 0.6, "004": 0.5}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[TrialJob]:
    jobs: list[TrialJob] = []

    def train(family: object, config: Any, data: Path, folder: Path, observer: object) -> None:
        for epoch in range(config.engine.keep_from_epoch, 5):
            (folder / "epochs").mkdir(parents=True, exist_ok=True)
            (folder / "epochs" / f"{epoch:03d}.safetensors").touch()

    def run(job: TrialJob, environment: object, on_tick: Callable[[], None]) -> Outcome:
        jobs.append(job)
        assert job.work.settings.weights is not None
        area = QUALITY[Path(job.work.settings.weights).stem]
        measured = [Measured(path.name, auc=area) for path in job.work.sequences]
        job.file.write_bytes(pickle.dumps(Answers(measured, [area] * len(measured))))
        return Outcome(True, "")

    def record(name: str, settings: Any, own: object) -> Any:
        from dataclasses import replace

        return replace(RECORD, settings=settings, sha256=str(settings.weights))

    monkeypatch.setattr(onekey, "train_family", train)
    monkeypatch.setattr(onekey, "check_inputs", lambda *_: None)
    monkeypatch.setattr(TrialJob, "run", run)
    monkeypatch.setattr(tuning, "make_record", record)
    monkeypatch.chdir(tmp_path)
    make_sequences(tmp_path / "score", ["a", "b"])
    make_sequences(tmp_path / "held", ["c", "d"])
    (tmp_path / "all.toml").write_text(RECIPE)
    return jobs


def test_every_epoch_is_scored_and_the_best_is_tuned(ran: list[TrialJob]) -> None:
    assert main(["train", "onekey", "all.toml"]) == 0
    numbers = [job.number for job in ran]
    assert numbers == ["epoch-002", "epoch-003", "epoch-004", 0, 1, "default", "tuned"]
    summary = json.loads(Path("runs/all/summary.json").read_text())
    assert summary["epochs"] == {"2": 0.4, "3": 0.6, "4": 0.5}
    assert summary["chosen_epoch"] == 3 and summary["weights"].endswith("003.safetensors")
    assert summary["tuning"]["held_out"]["tuned"] == pytest.approx(0.6)
    page = Path("runs/all/onekey.html").read_text()
    assert "3, the best of 3 that were scored on score" in page
    assert "Tuned on a, b" in Path("runs/all/tune-epoch-003.html").read_text()
    assert Path("runs/all/tuned.toml").read_text().startswith('tracker = "ARDiMP_lite"')

    assert main(["train", "onekey", "all.toml"]) == 0
    assert len(ran) == len(numbers), "nothing is done twice"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('family = "dimp"', 'family = "gan"', "unknown family 'gan'"),
        ('recipe = "base_lite"', 'recipe = "best"', "no recipe 'best'"),
        ('held_out = "held"', 'held_out = "score"', "is tuned on"),
        ('sequences = "score"\nfirst', 'sequences = "none"\nfirst', "no sequence folder none"),
        ("first_epoch", 'layout = "vots"\nfirst_epoch', "unknown layout 'vots'"),
        ("trials", "trails", "did you mean 'trials'?"),
        ("ARDiMP_lite_box", "SiamRPN_lite", "trains the network dimp_lite, and SiamRPN_lite has"),
        ("first_epoch = 2", "first_epoch = 25", "first_epoch = 25, but base_lite trains 24 epochs"),
        ("first_epoch = 2", "first_epoch = 0", "give a number from 1 to 24"),
        (
            'sequences = "score"\nfirst',
            'sequences = "x"\nlayout = "otb"\nfirst',
            "/x: give the one",
        ),
        ("[train]", "eao_interval = [9, 3]\n[train]", "9 3: give the first and the last"),
    ],
)
def test_mistakes_are_found_before_training(
    ran: list[TrialJob], capsys: pytest.CaptureFixture[str], old: str, new: str, message: str
) -> None:
    Path("all.toml").write_text(RECIPE.replace(old, new))
    assert main(["train", "onekey", "all.toml"]) == 2
    assert message in capsys.readouterr().err
    assert not ran and not Path("runs").exists()


def test_missing_data_is_found_before_training(
    ran: list[TrialJob], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onekey, "check_inputs", check_inputs)
    assert main(["train", "onekey", "all.toml"]) == 2
    shown = capsys.readouterr()
    assert "train_masks" in shown.err and shown.err.count("\n") == 1 and not shown.out
    assert not Path("runs").exists()
