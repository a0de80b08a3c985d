"""The report of one-pass scores: one HTML file that needs no other file and no network."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import numpy as np

import alpharefine
from alpharefine.onepass.conventions import OFFICIAL, Convention
from alpharefine.onepass.measures import area
from alpharefine.onepass.score import TrackerScores
from alpharefine.onepass.truth import find_family
from vot_integration.report.benchmark_figures import (
    ScoredTracker,
    attribute_figure,
    curve_figure,
)
from vot_integration.report.bootstrap import (
    ConfidenceInterval,
    percentile_interval,
    resample_means,
)
from vot_integration.report.html import render_template
from vot_integration.report.plots import COLORS

_OFFICIAL_SIZES = {"lasot": 280, "otb": 100, "trackingnet": 511, "uav123": 123, "nfs": 100}
"""Layout -> number of targets of the set that published rows are about."""

_POINTS = {"auc": "AUC", "ao": "AO"}


@dataclass(frozen=True)
class Row:
    """A tracker's line: name, color as CSS, scores, and the interval of its AUC."""

    name: str
    color: str
    tracker: TrackerScores
    interval: ConfidenceInterval | None


@dataclass(frozen=True)
class PublishedScore:
    """A published number of the same set, and the document that it is from."""

    tracker: str
    measure: str
    value: float
    convention: str
    source: str


@dataclass(frozen=True)
class BenchmarkReport:
    """Content of a report; plots are SVG text.

    Attributes:
        benchmark: name of the layout.
        convention: name of the convention.
        tool: whose rules these are.
        made: date and time, UTC.
        arvot: version of this package.
        rows: one a tracker.
        published: of the official set; empty for any other.
        plots: title and plot of each curve.
        attributes: plot of attributes, None where the set has none.
        sequences: name, frames and AUC by tracker of each sequence, the hardest first.
        notes: what a reader must know.
        records: what results were made with, by tracker.
        integrated: whether precision is an area.
    """

    benchmark: str
    convention: str
    tool: str
    made: str
    arvot: str
    rows: Sequence[Row]
    published: Sequence[PublishedScore]
    plots: Sequence[tuple[str, str]]
    attributes: str | None
    sequences: Sequence[tuple[str, int, Sequence[float | None]]]
    notes: Sequence[str]
    records: Mapping[str, Mapping[str, Any]]
    integrated: bool


def make_benchmark_report(
    benchmark: str,
    convention: str,
    rules: Convention,
    trackers: Mapping[str, TrackerScores],
    records: Mapping[str, Mapping[str, Any]],
) -> BenchmarkReport:
    """Gather a report.

    Args:
        benchmark: name of the layout.
        convention: name of the convention.
        rules: what it says.
        trackers: scores by name.
        records: what results were made with, where that is known.
    """
    colors = {name: COLORS[number % len(COLORS)] for number, name in enumerate(trackers)}
    drawn = [
        ScoredTracker(name, colors[name], scores.scores, scores.attributes)
        for name, scores in trackers.items()
    ]
    sequences = max(scores.scores.sequences for scores in trackers.values())
    return BenchmarkReport(
        benchmark,
        convention,
        rules.tool,
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        alpharefine.__version__,
        [
            Row(name, "rgb({}, {}, {})".format(*colors[name]), scores, _interval(scores, rules))
            for name, scores in trackers.items()
        ],
        published_scores(benchmark, convention, sequences),
        [
            ("Success: share of frames with more overlap", curve_figure(drawn, "success", rules)),
            ("Precision: share of frames closer", curve_figure(drawn, "precision", rules)),
            (
                "Normalized precision: the same in sides of the target",
                curve_figure(drawn, "norm", rules),
            ),
        ],
        attribute_figure(drawn) if any(s.attributes for s in trackers.values()) else None,
        _sequence_rows(trackers, rules),
        [f"{name}: {note}" for name, scores in trackers.items() for note in scores.notes],
        records,
        rules.integrated,
    )


def render_benchmark(report: BenchmarkReport) -> str:
    """The report as HTML."""
    return render_template("benchmark.html.j2", report=report)


def published_scores(benchmark: str, convention: str, sequences: int) -> list[PublishedScore]:
    """Published numbers of a set; none unless it has the official number of targets.

    Args:
        benchmark: name of the layout.
        convention: that is shown; numbers of others are not comparable. The official tool's and
            pytracking's are shown beside each other, with their names.
        sequences: number of targets that were scored.
    """
    family = find_family(benchmark)
    if _OFFICIAL_SIZES.get(family) != sequences or convention not in (OFFICIAL, "pytracking"):
        return []
    file = resources.files("vot_integration") / "resources" / "published_benchmarks.toml"
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        PublishedScore(
            row["tracker"],
            _POINTS[document["measure"].get(family, "auc")],
            row[family],
            document["convention"].get(family, "pytracking"),
            document["source"],
        )
        for row in document["row"]
        if family in row
    ]


def _interval(scores: TrackerScores, rules: Convention) -> ConfidenceInterval | None:
    if rules.pooled or len(scores.sequences) < 2:
        return None
    values = np.array([area(entry.curves.success, rules) for entry in scores.sequences])
    return percentile_interval(resample_means(values))


def _sequence_rows(
    trackers: Mapping[str, TrackerScores], rules: Convention
) -> list[tuple[str, int, Sequence[float | None]]]:
    values = {
        name: {entry.name: area(entry.curves.success, rules) for entry in scores.sequences}
        for name, scores in trackers.items()
    }
    frames = {e.name: e.frames for scores in trackers.values() for e in scores.sequences}
    rows = [
        (name, count, [of_tracker.get(name) for of_tracker in values.values()])
        for name, count in frames.items()
    ]
    return sorted(rows, key=lambda row: min(value for value in row[2] if value is not None))
