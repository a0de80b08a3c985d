"""`vot evaluate`, `analysis`, `report` and `pack` on sequences of a few frames."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.toolkit.make import ANCHORS, FRAMES, TRACKERS, Recorder, make_sequences, make_workspace
from vot_integration.errors import EvaluationError
from vot_integration.evaluation.evaluate import analyze, evaluate, report
from vot_integration.toolkit.results import tally_runs
from vot_integration.toolkit.scores import ExperimentScores, read_scores
from vot_integration.workspaces.workspace import Workspace

EXPERIMENTS = ("baseline", "realtime", "unsupervised")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Recorder]:
    """A workspace in which the oracle ran all experiments."""
    folder = tmp_path_factory.mktemp("toolkit")
    workspace = make_workspace(
        folder / "work space", make_sequences(folder / "sequences"), EXPERIMENTS
    )
    recorder = Recorder()
    evaluate(workspace, "oracle", recorder)
    return workspace, recorder


def test_oracle_scores_are_perfect(evaluated: tuple[Workspace, Recorder]) -> None:
    """All is 1.0, but that the toolkit counts the first frame of a run with overlap 0 into A."""
    workspace, _ = evaluated
    scores = read_scores(analyze(workspace, "oracle"))
    for experiment in ("baseline", "realtime"):
        found = scores[experiment]
        assert (found.eao, found.robustness) == (1.0, 1.0)
        assert found.accuracy is not None
        assert found.accuracy * FRAMES / (FRAMES - 1) == pytest.approx(1.0)
    assert scores["unsupervised"] == ExperimentScores(accuracy=1.0)


def test_result_files_are_counted(evaluated: tuple[Workspace, Recorder]) -> None:
    workspace, recorder = evaluated
    results = workspace.results("oracle")
    for experiment, runs in (("baseline", 2), ("realtime", 2), ("unsupervised", 1)):
        for sequence in ("dark", "bright"):
            assert len(list((results / experiment / sequence).glob("*.bin"))) == runs
    last = {progress.experiment: progress for progress in recorder.seen}
    assert {name: (last[name].runs, last[name].all_runs) for name in EXPERIMENTS} == {
        "baseline": (4, 4),
        "realtime": (4, 4),
        "unsupervised": (2, 2),
    }
    assert last["baseline"].all_frames == 2 * len(ANCHORS) * FRAMES


def test_finished_runs_are_kept_and_cut_off_ones_repeated(
    evaluated: tuple[Workspace, Recorder],
) -> None:
    workspace, _ = evaluated
    folder = workspace.results("oracle") / "baseline" / "dark"
    kept, cut, missing = folder / "dark_00000000.bin", folder / "dark_00000011.bin", folder
    before = kept.stat().st_mtime_ns
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    (missing / "dark_00000011_time.value").write_text("0.1\n")

    runs = evaluate(workspace, "oracle", Recorder())

    assert kept.stat().st_mtime_ns == before
    assert cut.read_bytes() == whole
    baseline = [run for run in runs if run.experiment == "baseline"]
    tally = tally_runs(baseline, workspace.results("oracle"))
    assert (tally.sequences, tally.frames) == (2, 4 * FRAMES)
    assert tally.fps is not None and tally.fps > 0


def test_report_and_pack(evaluated: tuple[Workspace, Recorder]) -> None:
    workspace, _ = evaluated
    assert "oracle" in report(workspace, ["oracle"]).read_text()
    command = [sys.executable, "-m", "vot", "pack", "--workspace", str(workspace.folder), "oracle"]
    subprocess.run(command, check=True, capture_output=True, cwd=workspace.folder)
    assert list(workspace.folder.glob("oracle_*.zip"))


def test_failing_tracker_is_an_error_with_its_log(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"])
    with pytest.raises(EvaluationError) as failure:
        evaluate(workspace, "explodes", Recorder())
    message = str(failure.value)
    assert "explodes failed: 2 of 4 runs have results, and are kept." in message
    assert "ArithmeticError: the network exploded" in message
    assert "sequence bright" in message
    assert len(list(workspace.results("explodes").rglob("*.bin"))) == 2


def test_failure_from_the_start_names_no_file_that_is_gone(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"), ["baseline"])
    with pytest.raises(EvaluationError) as failure:
        evaluate(workspace, "unloadable", Recorder())
    message = str(failure.value)
    assert message.startswith("unloadable failed: no run has results.\nThe toolkit says:\n")
    assert "written to file" not in message and "timeout" not in message


def test_tracker_that_needs_longer(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"), ["baseline"])
    registry = workspace.folder / "trackers.ini"
    with registry.open("a") as ini:
        ini.write(
            f"\n[lazy]\nprotocol = traxpython\ncommand = lazy\npython = {sys.executable}\n"
            f"paths = {TRACKERS}:{TRACKERS.parents[2]}\ntimeout = 1\n"
        )
    with pytest.raises(EvaluationError, match=f"timeout = SECONDS into its section of {registry}"):
        evaluate(workspace, "lazy", Recorder())


def test_tracker_that_is_not_registered(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"), ["baseline"])
    with pytest.raises(EvaluationError, match="Unable to resolve tracker reference: nobody"):
        evaluate(workspace, "nobody", Recorder())


def test_supervised_stack(tmp_path: Path) -> None:
    """VOT2018: of 15 repetitions the toolkit leaves out those after three equal ones."""
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences, ["baseline"], stack="vot2018")
    runs = evaluate(workspace, "oracle", Recorder())
    assert len(runs) == 2 * 3
    scores = read_scores(analyze(workspace, "oracle"))["baseline"]
    assert (scores.accuracy, scores.robustness) == (1.0, 0.0)
