"""The toolkit's scores, and what is said of an EAO that says little."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from vot_integration.commands.summary_table import summary_table
from vot_integration.evaluation.summary import ExperimentSummary, RunSummary
from vot_integration.toolkit.scores import (
    ExperimentScores,
    collect_remarks,
    explain_eao,
    headings,
    read_scores,
)

INTERVAL = (30, 100)


@pytest.mark.parametrize(
    ("scores", "longest", "eao", "words"),
    [
        (ExperimentScores(0.0, 0.7, 1.0), 30, None, "no run is as long as the EAO interval 30-100"),
        (ExperimentScores(0.0, 0.7, 1.0), 12, None, "the longest has 12 frames): set another"),
        (ExperimentScores(0.0, 0.0, 0.0), 30, 0.0, "so only failed runs count"),
        (ExperimentScores(0.0, 0.0, 0.9), 30, 0.0, "so only failed runs count"),
        (ExperimentScores(0.04, 0.7, 0.9), 30, 0.04, "so only failed runs count"),
        (
            ExperimentScores(0.0, 0.0, 0.0),
            31,
            0.0,
            "no run reaches the end of the EAO interval 30-100",
        ),
        (
            ExperimentScores(0.4, 0.7, 1.0),
            99,
            0.4,
            "the longest has 99 frames), so EAO says little",
        ),
        (ExperimentScores(0.4, 0.7, 1.0), 100, 0.4, None),
        (ExperimentScores(0.0, 0.0, 0.0), 100, 0.0, None),
        (
            ExperimentScores(None, 0.7, 2.0),
            120,
            None,
            "no run came as far as the EAO interval 30-100",
        ),
    ],
)
def test_what_is_said_of_an_eao(
    scores: ExperimentScores, longest: int, eao: float | None, words: str | None
) -> None:
    explained = explain_eao(scores, INTERVAL, longest)
    assert explained.eao == eao
    assert (explained.accuracy, explained.robustness) == (scores.accuracy, scores.robustness)
    assert explained.remark is None if words is None else words in (explained.remark or "")


def test_empty_interval() -> None:
    remark = explain_eao(ExperimentScores(None, 0.5, 0.5), (30, 30), 100).remark
    assert remark is not None and "30-30 is empty" in remark


def test_experiment_without_eao() -> None:
    assert explain_eao(ExperimentScores(accuracy=0.5), None, 12) == ExperimentScores(accuracy=0.5)


def test_equal_remarks_are_one_line() -> None:
    remarks = [("a", "short"), ("b", None), ("c", "short"), ("d", "empty")]
    assert collect_remarks(remarks) == ["EAO of a, c: short", "EAO of d: empty"]


def test_measures_of_long_term_stacks(tmp_path: Path) -> None:
    analyses = [
        {"type": "vot.analysis.longterm.PrecisionRecall"},
        {"type": "vot.analysis.longterm.FScoreCurve"},
    ]
    body = {"parameters": {"analyses": analyses}, "results": [[[0.5, 0.25, 1 / 3]], [[[0.1]]]]}
    file = tmp_path / "T.json"
    file.write_text(json.dumps({"results": {"longterm": body}}))
    found = read_scores(file)["longterm"]
    assert (found.eao, found.accuracy, found.robustness) == (None, None, None)
    assert found.measured == {"Precision": 0.5, "Recall": 0.25, "F": 1 / 3}


def test_measures_of_vots(tmp_path: Path) -> None:
    analyses = [
        {"type": "vot.analysis.accuracy.AverageAccuracy", "name": "Quality"},
        {"type": "vot.analysis.accuracy.AverageSuccessPlot"},
        {"type": "vot.analysis.longterm.AccuracyRobustness"},
        {"type": "vot.analysis.longterm.AverageQualityAuxiliary"},
    ]
    results = [[[0.5]], [[[[0, 1]]]], [[0.6, 0.7, [0.7, 0.6]]], [[0.1, 0.2, None]]]
    body = {"parameters": {"analyses": analyses}, "results": results}
    file = tmp_path / "T.json"
    file.write_text(json.dumps({"results": {"baseline": body}}))
    found = read_scores(file)["baseline"]
    assert list(headings([found])) == ["Quality", "Accuracy", "Robustness", "NRE", "DRE", "ADQ"]
    assert found.measured == {
        "Accuracy": 0.6,
        "Robustness": 0.7,
        "Quality": 0.5,
        "NRE": 0.1,
        "DRE": 0.2,
        "ADQ": None,
    }


def test_columns_of_short_term_stacks_stay_where_an_experiment_has_fewer() -> None:
    scores = [ExperimentScores(0.4, 0.5, 0.6), ExperimentScores(accuracy=0.5)]
    assert headings(scores) == headings([ExperimentScores()]) == ["EAO", "Accuracy", "Robustness"]


def test_no_row_has_dashes_alone_without_a_word(tmp_path: Path) -> None:
    scores = {
        "longterm": ExperimentScores(further={"F": 0.25}),
        "baseline": ExperimentScores(),
        "other": ExperimentScores(),
    }
    summary = RunSummary(
        toolkit="0.7.4",
        tracker="T",
        weights=None,
        sha256=None,
        random=False,
        stack="s",
        eao_interval=None,
        experiments={name: ExperimentSummary(entry, 1, 9) for name, entry in scores.items()},
        fps=None,
        device=None,
        report=tmp_path / "r.html",
        analysis=tmp_path / "T.json",
        unscored=["baseline"],
        tuned=(),
    )
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(summary_table(summary))
    shown = console.export_text()
    assert "Experiment" in shown and " F " in shown and "0.250" in shown and "EAO" not in shown
    assert "Measures of baseline: none in this stack" in shown
    assert f"Measures of other: those of the toolkit are in {tmp_path}/T.json" in shown
    assert json.loads(summary.to_json())["experiments"]["longterm"]["f"] == 0.25
