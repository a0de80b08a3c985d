"""The toolkit's scores, and what is said of an EAO that says little."""

import pytest

from vot_integration.toolkit.scores import ExperimentScores, collect_remarks, explain_eao

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
