"""Scores of one tracker, read from the JSON file that `vot analysis` writes."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vot_integration.toolkit.stacks import EaoInterval

_REMEDY = "set another with --eao-interval of arvot init or run"

_MEASURES = {
    "EAOScore": ("eao",),
    "AverageAccuracyRobustness": ("accuracy", "robustness"),
    "AccuracyRobustness": ("accuracy", "robustness"),
    "AverageAccuracy": ("accuracy",),
}

_FURTHER = {
    "PrecisionRecall": ("Precision", "Recall", "F"),
    "AverageQualityAuxiliary": ("NRE", "DRE", "ADQ"),
    "CumulativeFailureCount": ("Failures",),
}
"""Measures that only some stacks have, under their columns' headings."""

QUALITY = "Quality"
"""What VOTS calls the mean overlap in which a target that is rightly said to be absent counts 1."""

_NAMED = ("EAO", "Accuracy", "Robustness")


@dataclass(frozen=True)
class ExperimentScores:
    """Scores of one experiment; None where the experiment has no such measure.

    Attributes:
        eao: expected average overlap over the stack's interval, 0..1.
        accuracy: mean overlap until failure, 0..1.
        robustness: share of frames tracked before failure, 0..1 (multi-start); the mean number of
            failures of a sequence, lower is better, in supervised stacks (VOT2018, VOT2019).
        remark: what a reader must know of the EAO, as why there is none; None where it is what it
            seems.
        further: measures of other analyses: Quality, NRE (non-reported error), DRE (drift-rate
            error) and ADQ (absence-detection quality) of VOTS, Precision, Recall and F of long-term
            stacks, Failures.
    """

    eao: float | None = None
    accuracy: float | None = None
    robustness: float | None = None
    remark: str | None = None
    further: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def measured(self) -> dict[str, float | None]:
        """What there is, by its heading; an EAO that a remark explains may be None."""
        named = dict(zip(_NAMED, (self.eao, self.accuracy, self.robustness), strict=True))
        first = {
            heading: value
            for heading, value in named.items()
            if value is not None or (heading == _NAMED[0] and self.remark is not None)
        }
        return {**first, **self.further}


def headings(scores: Iterable[ExperimentScores]) -> list[str]:
    """Columns of a table of these scores; those of short-term stacks where nothing is measured."""
    found = [heading for entry in scores for heading in entry.measured]
    named = [heading for heading in _NAMED if heading in found]
    further = [heading for heading in dict.fromkeys(found) if heading not in _NAMED]
    if QUALITY in further:
        rest = [heading for heading in further if heading != QUALITY]
        return [QUALITY, *named, *rest]
    return [*named, *further] or list(_NAMED)


def read_scores(file: Path) -> dict[str, ExperimentScores]:
    """Scores by experiment, from an analysis of a single tracker."""
    document = json.loads(file.read_text(encoding="utf-8"))
    return {name: _scores(body) for name, body in document["results"].items()}


def explain_eao(
    scores: ExperimentScores, interval: EaoInterval | None, longest_run: int
) -> ExperimentScores:
    """Scores with a remark on their EAO, and without an EAO for which no run counts.

    In a multi-start experiment a run counts up to its own length, and beyond it only when it has
    failed. Where none counts in the interval the toolkit writes 0, as for a tracker that has lost
    the target everywhere; that tracker's robustness is below 1.

    Args:
        scores: as the toolkit wrote them.
        interval: first and last frame of the experiment's EAO interval; None where it has no EAO.
        longest_run: frames of its longest run.
    """
    if interval is None:
        return scores
    is_unseen = longest_run <= interval[0] and scores.eao == 0 and scores.robustness in (None, 1)
    eao = None if is_unseen else scores.eao
    return replace(scores, eao=eao, remark=eao_remark(eao, interval, longest_run))


def eao_remark(eao: float | None, interval: EaoInterval, longest_run: int) -> str | None:
    """What a reader must know of an EAO; None where it is what it seems.

    Args:
        eao: the score; None where no run counts for it.
        interval: first and last frame of the EAO interval.
        longest_run: frames of the longest run.
    """
    low, high = interval
    name = f"the EAO interval {low}-{high}"
    length = f"the longest has {longest_run} frames"
    if low >= high:
        return f"{name} is empty, it ends before its last frame: {_REMEDY}"
    if longest_run <= low:
        counted = "" if eao is None else ", so only failed runs count"
        return f"no run is as long as {name} ({length}){counted}: {_REMEDY}"
    if eao is None:
        return f"no run came as far as {name} without a failure: {_REMEDY}"
    if longest_run < high:
        return f"no run reaches the end of {name} ({length}), so EAO says little: {_REMEDY}"
    return None


def collect_remarks(remarks: Iterable[tuple[str, str | None]]) -> list[str]:
    """A line for each remark, which begins with all that it is about.

    Args:
        remarks: what each is about, a tracker or an experiment; the remark on its EAO, if any.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name, remark in remarks:
        if remark is not None:
            found[remark].append(name)
    return [f"EAO of {', '.join(names)}: {remark}" for remark, names in found.items()]


def _scores(experiment: Mapping[str, Any]) -> ExperimentScores:
    values: dict[str, float | None] = {}
    further: dict[str, float | None] = {}
    analyses = experiment["parameters"]["analyses"]
    for analysis, result in zip(analyses, experiment["results"], strict=True):
        kind = analysis["type"].rpartition(".")[2]
        # The outer list goes over trackers, the inner over the measures of the analysis.
        numbers = [_number(value) for value in result[0]]
        if kind == "AverageAccuracy" and analysis.get("name") == QUALITY:
            further[QUALITY] = numbers[0]
        else:
            values.update(zip(_MEASURES.get(kind, ()), numbers, strict=False))
        further.update(zip(_FURTHER.get(kind, ()), numbers, strict=False))
    return ExperimentScores(
        values.get("eao"), values.get("accuracy"), values.get("robustness"), further=further
    )


def _number(value: Any) -> float | None:
    # JSON has no NaN; the toolkit writes one when there was nothing to average.
    is_number = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if is_number else None
