"""The report: one HTML file that needs no other file and no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import alpharefine
from vot_integration.report.bootstrap import ConfidenceInterval, percentile_interval, resample
from vot_integration.report.collect import (
    ExperimentResults,
    Published,
    collect,
    published_rows,
    read_sequences,
    skipped_frames,
)
from vot_integration.report.figures import (
    TrackerResults,
    ar_figure,
    bars_figure,
    eao_figure,
    overlap_figure,
)
from vot_integration.report.html import render_template
from vot_integration.report.measures import Measures, combine
from vot_integration.report.plots import COLORS
from vot_integration.report.strips import Picture, make_strip
from vot_integration.sequences.folder import SequenceFolder
from vot_integration.toolkit.scores import (
    ExperimentScores,
    collect_remarks,
    explain_eao,
    headings,
    read_scores,
)
from vot_integration.workspaces.records import TrackerRecord, tuned_notes
from vot_integration.workspaces.workspace import Workspace

_AGREEMENT = 5e-4
"""Difference to the toolkit's numbers that three decimals do not show."""


@dataclass(frozen=True)
class ScoreRow:
    """A line of the table: one tracker in one experiment.

    Attributes:
        tracker: registered name.
        color: of the tracker, as CSS.
        experiment: its name.
        official: the toolkit's scores.
        own: this report's measures; None unless the experiment is multi-start.
        eao_interval: 95 % bootstrap interval of EAO; None where there is no EAO.
        fps: frames for each second of tracker time.
        skips: frames lost to lateness; None unless the experiment is real-time.
        runs: number of runs.
        failures: number of failures.
    """

    tracker: str
    color: str
    experiment: str
    official: ExperimentScores
    own: Measures | None
    eao_interval: ConfidenceInterval | None
    fps: float | None
    skips: int | None
    runs: int
    failures: int

    @property
    def agrees(self) -> bool:
        """Whether the toolkit's numbers are the same as this report's."""
        if self.own is None:
            return True
        pairs = (
            (self.own.eao, self.official.eao),
            (self.own.accuracy, self.official.accuracy),
            (self.own.robustness, self.official.robustness),
        )
        return all(
            official is None or (value is not None and abs(value - official) < _AGREEMENT)
            for value, official in pairs
        )


@dataclass(frozen=True)
class Strip:
    """Pictures of one tracker's run."""

    tracker: str
    color: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class SequencePart:
    """What the report shows of one sequence: plots by experiment, and strips."""

    name: str
    frames: int
    fps: int
    size: tuple[int, int]
    plots: Sequence[tuple[str, str]]
    strips: Sequence[Strip]


@dataclass(frozen=True)
class Report:
    """Content of a report; plots are SVG text.

    Attributes:
        title: what was evaluated.
        made: date and time, UTC.
        arvot: version of this package.
        stack: title of the stack.
        source: where the sequences are from.
        interval: first and last frame of the EAO interval.
        rows: the table.
        headings: measures that they have.
        published: rows of other documents.
        eao_plot: curve, None without multi-start experiments.
        ar_plot: accuracy over robustness, None without multi-start experiments.
        bar_plots: by experiment.
        sequences: one part each.
        records: how each tracker was run; None where that is not known.
        notes: what a reader must know to trust the numbers.
    """

    title: str
    made: str
    arvot: str
    stack: str
    source: str
    interval: tuple[int, int] | None
    rows: Sequence[ScoreRow]
    headings: Sequence[str]
    published: Sequence[Published]
    eao_plot: str | None
    ar_plot: str | None
    bar_plots: Sequence[tuple[str, str]]
    sequences: Sequence[SequencePart]
    records: Sequence[tuple[str, TrackerRecord | None]]
    notes: Sequence[str]


def make_report(workspace: Workspace, trackers: Sequence[str]) -> Report:
    """Gather a report of trackers that were analyzed.

    Args:
        workspace: with experiments that are complete for all of them.
        trackers: registered names.
    """
    sequences = read_sequences(workspace)
    entries = [
        TrackerResults(
            name, COLORS[number % len(COLORS)], list(collect(workspace, name, sequences))
        )
        for number, name in enumerate(trackers)
    ]
    interval = workspace.interval
    published = published_rows(workspace)
    rows = [_row(workspace, entry, results) for entry in entries for results in entry.experiments]
    multistart = [results.name for results in entries[0].experiments if results.measures]
    plots = multistart and interval is not None
    return Report(
        title=", ".join(trackers),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        arvot=alpharefine.__version__,
        stack=workspace.stack.title,
        source=workspace.dataset.source,
        interval=interval,
        rows=rows,
        headings=headings(row.official for row in rows),
        published=published,
        eao_plot=eao_figure(entries, interval) if plots and interval else None,
        ar_plot=ar_figure(entries, interval, published) if plots and interval else None,
        bar_plots=[(name, bars_figure(entries, name)) for name in multistart],
        sequences=[_sequence_part(workspace, entries, sequence) for sequence in sequences],
        records=[(name, workspace.record_of(name)) for name in trackers],
        notes=_notes(workspace, rows, trackers),
    )


def render(report: Report) -> str:
    """The report as HTML."""
    return render_template("report.html.j2", report=report)


def _row(workspace: Workspace, tracker: TrackerResults, results: ExperimentResults) -> ScoreRow:
    own = bounds = None
    if results.measures and workspace.interval is not None:
        own = combine(results.measures, workspace.interval)
        if own.eao is not None:
            bounds = percentile_interval(resample(results.measures, workspace.interval).eao)
    interval = workspace.stack.select([results.name]).find_interval()
    official = read_scores(workspace.analysis(tracker.name))[results.name]
    runs = [run for tracked in results.runs.values() for run in tracked]
    return ScoreRow(
        tracker.name,
        _css(tracker),
        results.name,
        explain_eao(official, interval, results.tally.longest),
        own,
        bounds,
        results.tally.fps,
        sum(map(skipped_frames, runs)) if results.is_realtime else None,
        len(runs),
        sum(map(len, results.failures.values())),
    )


def _sequence_part(
    workspace: Workspace, trackers: Sequence[TrackerResults], sequence: SequenceFolder
) -> SequencePart:
    first = trackers[0].experiments[0].name
    return SequencePart(
        sequence.name,
        sequence.length,
        sequence.fps,
        sequence.size,
        [
            (results.name, overlap_figure(trackers, results.name, sequence.name))
            for results in trackers[0].experiments
        ],
        [
            Strip(
                entry.name,
                _css(entry),
                make_strip(workspace, entry.name, results, sequence, entry.color),
            )
            for entry in trackers
            for results in entry.experiments
            if results.name == first
        ],
    )


def _notes(workspace: Workspace, rows: Sequence[ScoreRow], trackers: Sequence[str]) -> list[str]:
    notes = []
    for name in trackers:
        record = workspace.record_of(name)
        if workspace.has_foreign_results(name):
            some = "Results" if record is None else "Some results"
            notes.append(f"{some} of {name} are not from arvot: what made them is not known.")
        if record is not None and record.random:
            notes.append(
                f"The weights of {name} are random, not trained: its numbers show that everything "
                "runs and say nothing about the tracker."
            )
        if record is not None:
            names = [sequence.name for sequence in workspace.dataset.sequences]
            notes += [f"{name}: {note}" for note in tuned_notes(record.overrides, names)]
    for row in rows:
        if not row.agrees:
            notes.append(
                f"The toolkit's analysis of {row.tracker}, {row.experiment} differs from what its "
                "result files say now: run `arvot analyze` again."
            )
    return notes + collect_remarks(
        (f"{row.tracker} ({row.experiment})", row.official.remark) for row in rows
    )


def _css(tracker: TrackerResults) -> str:
    return "rgb({}, {}, {})".format(*tracker.color)
