"""Plots as SVG text. Trackers have colors, experiments have marks and line styles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vot_integration.regions.drawing import Color
from vot_integration.report.bootstrap import percentile_interval, resample
from vot_integration.report.collect import ExperimentResults, Published
from vot_integration.report.measures import combine, eao_curve
from vot_integration.report.plots import STYLE, new_figure, rgb, svg

_MARKS = ("o", "s", "^", "D")
_LINES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class TrackerResults:
    """Results of one tracker in all experiments of a report, and its color."""

    name: str
    color: Color
    experiments: Sequence[ExperimentResults]


def eao_figure(trackers: Sequence[TrackerResults], interval: tuple[int, int]) -> str:
    """Expected average overlap over the length of a run; the interval is shaded."""
    with rc_context(STYLE):
        figure, axes = new_figure(6.0, 4.0)
        axes.axvspan(*interval, color="0.92", zorder=0)
        for tracker in trackers:
            for style, results in _multistart(tracker, _LINES):
                curve = eao_curve(results.measures)
                axes.plot(
                    np.arange(1, len(curve)),
                    curve[1:],
                    style,
                    color=rgb(tracker.color),
                    label=_label(tracker, results),
                )
        axes.set(xlabel="frames of a run", ylabel="expected average overlap", ylim=(0, 1))
        axes.set_xlim(left=0)
        axes.legend(frameon=False, fontsize=9)
        return svg(figure)


def ar_figure(
    trackers: Sequence[TrackerResults],
    interval: tuple[int, int],
    published: Sequence[Published] = (),
) -> str:
    """Accuracy over robustness with 95 % bootstrap intervals; published points are hollow."""
    with rc_context(STYLE):
        figure, axes = new_figure(5.0, 4.0)
        for tracker in trackers:
            for mark, results in _multistart(tracker, _MARKS):
                total = combine(results.measures, interval)
                samples = resample(results.measures, interval)
                spread = [
                    np.abs(np.array([[bounds.low], [bounds.high]]) - value)
                    for bounds, value in (
                        (percentile_interval(samples.robustness), total.robustness),
                        (percentile_interval(samples.accuracy), total.accuracy),
                    )
                ]
                axes.errorbar(
                    total.robustness,
                    total.accuracy,
                    xerr=spread[0],
                    yerr=spread[1],
                    fmt=mark,
                    color=rgb(tracker.color),
                    elinewidth=0.8,
                    label=_label(tracker, results),
                )
        for row in published:
            axes.plot(
                row.robustness, row.accuracy, "o", mfc="none", mec="0.3", label=f"{row.tracker} *"
            )
        axes.set(xlabel="robustness", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
        axes.legend(frameon=False, fontsize=9, loc="lower left")
        return svg(figure)


def bars_figure(trackers: Sequence[TrackerResults], experiment: str) -> str:
    """Accuracy and robustness of every sequence in one multi-start experiment."""
    rows = {
        tracker.name: results.measures
        for tracker in trackers
        for results in tracker.experiments
        if results.name == experiment
    }
    names = [entry.sequence for entry in next(iter(rows.values()))]
    colors = {tracker.name: rgb(tracker.color) for tracker in trackers}
    with rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.9 + len(names) * (0.16 + 0.12 * len(rows))))
        panes = figure.subplots(1, 2, sharey=True)
        for axes, measure in zip(panes, ("accuracy", "robustness"), strict=True):
            _bars(axes, rows, colors, measure)
        panes[0].set_yticks(range(len(names)), names)
        panes[0].invert_yaxis()
        return svg(figure)


def overlap_figure(trackers: Sequence[TrackerResults], experiment: str, sequence: str) -> str:
    """Overlap in each frame of a sequence, a line a run; crosses are failures, ticks are skips."""
    with rc_context(STYLE):
        figure, axes = new_figure(7.5, 2.0)
        for tracker in trackers:
            for results in tracker.experiments:
                if results.name == experiment:
                    _overlap_lines(axes, tracker, results, sequence)
        axes.set(xlabel="frame", ylabel="overlap", ylim=(-0.04, 1.04))
        return svg(figure)


def _bars(
    axes: Axes,
    rows: Mapping[str, Sequence[object]],
    colors: Mapping[str, tuple[float, ...]],
    measure: str,
) -> None:
    height = 0.8 / len(rows)
    for number, (name, measures) in enumerate(rows.items()):
        places = np.arange(len(measures)) + (number - (len(rows) - 1) / 2) * height
        values = [getattr(entry, measure) for entry in measures]
        axes.barh(places, values, height, color=colors[name])
    axes.set(xlim=(0, 1), title=measure)
    axes.grid(False, axis="y")


def _overlap_lines(
    axes: Axes, tracker: TrackerResults, results: ExperimentResults, sequence: str
) -> None:
    color = rgb(tracker.color)
    for run in results.runs[sequence]:
        shown = np.where(run.reported & run.present, run.overlaps, np.nan)
        axes.plot(run.frames, shown, color=color, linewidth=1, alpha=0.8)
        start = int(run.frames[0])
        axes.plot(start, 0, marker=".", color=color, clip_on=False)
        for failure in results.failures[run.run.name]:
            at = int(run.frames[failure])
            axes.plot(at, run.overlaps[failure], marker="x", color=color, markeredgewidth=1.6)
        if results.is_realtime:
            skipped = run.frames[1:][run.seconds[1:] == 0]
            axes.plot(skipped, np.full(len(skipped), -0.02), "|", color="0.4", markersize=4)


def _multistart(
    tracker: TrackerResults, styles: Sequence[str]
) -> Sequence[tuple[str, ExperimentResults]]:
    """Multi-start experiments of a tracker, with the style that each has in a plot."""
    chosen = [results for results in tracker.experiments if results.measures]
    return [(styles[number % len(styles)], results) for number, results in enumerate(chosen)]


def _label(tracker: TrackerResults, results: ExperimentResults) -> str:
    return f"{tracker.name}, {results.name}"
