"""What an evaluation found out, for people; `RunSummary.to_json` is for programs."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vot_integration.commands.terminal import number_cell
from vot_integration.evaluation.summary import RunSummary
from vot_integration.toolkit.scores import collect_remarks, headings

_ROOMY = 3
"""Measures up to which a table has space between its columns."""


def summary_table(summary: RunSummary) -> RenderableType:
    """Scores of each experiment, and notes on speed, weights, toolkit and report."""
    columns = headings(entry.scores for entry in summary.experiments.values())
    # So that the measures of VOTS fit into a terminal of 80 columns.
    padding = (0, 1) if len(columns) <= _ROOMY else (0, 0)
    title = f"{summary.tracker} on {summary.stack}"
    table = Table(title=title, title_justify="left", padding=padding)
    table.add_column("Experiment")
    for heading in (*columns, "Sequences", "Frames"):
        table.add_column(heading, justify="right")
    for name, entry in summary.experiments.items():
        measures = (number_cell(entry.scores.measured.get(heading)) for heading in columns)
        table.add_row(name, *measures, str(entry.sequences), str(entry.frames))
    return Group(table, *map(Text, _notes(summary)))


def _notes(summary: RunSummary) -> list[str]:
    notes = []
    entries = summary.experiments.items()
    has_eao = any(entry.scores.eao is not None or entry.scores.remark for _, entry in entries)
    if summary.eao_interval is not None and has_eao:
        low, high = summary.eao_interval
        notes.append(f"EAO interval: {low} to {high} frames")
    report = summary.report if summary.report.is_file() else "none yet, arvot report makes it"
    notes += [
        f"Speed: {_speed(summary)}",
        _origin(summary),
        f"Toolkit: {summary.toolkit}",
        f"Report: {report}",
    ]
    notes += _elsewhere(summary)
    notes += collect_remarks((name, entry.scores.remark) for name, entry in entries)
    notes += [f"Note: {note}" for note in summary.tuned]
    if summary.random:
        notes.append(
            "The weights are random, not trained: "
            "the numbers show that everything runs and say nothing about the tracker."
        )
    return notes


def _elsewhere(summary: RunSummary) -> list[str]:
    """Why a row has dashes alone."""
    notes = []
    for name, entry in summary.experiments.items():
        if name in summary.unscored:
            notes.append(
                f"Measures of {name}: none in this stack; `arvot pack` packs the results for a "
                "server that scores them"
            )
        elif not entry.scores.measured:
            notes.append(f"Measures of {name}: those of the toolkit are in {summary.analysis}")
    return notes


def _speed(summary: RunSummary) -> str:
    if summary.fps is None:
        missing = (
            "of which there are no times"
            if "baseline" in summary.experiments
            else ("which is not among these experiments")
        )
        return f"measured in baseline, {missing}"
    device = f"on {summary.device}"
    if summary.is_own or summary.device is None:
        device = "on a device that " + ("it chooses" if summary.is_own else "is not known")
    return f"{summary.fps:.1f} frames per second in baseline, the tracker's time alone, {device}"


def _origin(summary: RunSummary) -> str:
    if summary.sha256 is None:
        return "Made with: unknown (these results are not from arvot)"
    text = f"Weights: {summary.weights} (sha256 {summary.sha256[:12]}...)"
    if summary.is_own:
        text = f"Tracker: your own (section of trackers.ini, sha256 {summary.sha256[:12]}...)"
    return f"{text}; results that were there before: made with unknown" if summary.foreign else text
