"""Scores of one tracker, read from the JSON file that `vot analysis` writes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Scores:
    """Scores of one experiment; None where the experiment has no such measure.

    Attributes:
        eao: expected average overlap over the stack's interval, 0..1.
        accuracy: mean overlap until failure, 0..1.
        robustness: share of frames tracked before failure, 0..1 (multi-start); the mean number of
            failures of a sequence, lower is better, in supervised stacks (VOT2018, VOT2019).
    """

    eao: float | None = None
    accuracy: float | None = None
    robustness: float | None = None


def read_scores(file: Path) -> dict[str, Scores]:
    """Scores by experiment, from an analysis of a single tracker."""
    document = json.loads(file.read_text(encoding="utf-8"))
    return {name: _scores(body) for name, body in document["results"].items()}


def _scores(experiment: Mapping[str, Any]) -> Scores:
    values: dict[str, float | None] = {}
    analyses = experiment["parameters"]["analyses"]
    for analysis, result in zip(analyses, experiment["results"], strict=True):
        measures = _MEASURES.get(analysis["type"].rpartition(".")[2], ())
        # The outer list goes over trackers, the inner over the measures of the analysis.
        values.update(zip(measures, map(_number, result[0]), strict=False))
    return Scores(**values)


_MEASURES = {
    "EAOScore": ("eao",),
    "AverageAccuracyRobustness": ("accuracy", "robustness"),
    "AverageAccuracy": ("accuracy",),
}


def _number(value: Any) -> float | None:
    # JSON has no NaN; the toolkit writes one when there was nothing to average.
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None
