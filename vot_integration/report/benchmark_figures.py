"""Plots of one-pass scores: curves over thresholds, bars of attributes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from alpharefine.onepass.conventions import Convention
from alpharefine.onepass.measures import Scores
from vot_integration.regions.drawing import Color
from vot_integration.report.plots import STYLE, new_figure, rgb, svg

CurveName = Literal["success", "precision", "norm"]

_AXES: Mapping[CurveName, tuple[str, str]] = {
    "success": ("overlap threshold", "success"),
    "precision": ("center error threshold, px", "precision"),
    "norm": ("center error threshold, sides of the target", "normalized precision"),
}


@dataclass(frozen=True)
class ScoredTracker:
    """Scores of one tracker, and its color."""

    name: str
    color: Color
    scores: Scores
    attributes: Mapping[str, Scores]


def curve_figure(
    trackers: Sequence[ScoredTracker], curve: CurveName, convention: Convention
) -> str:
    """Success, precision or normalized precision over thresholds; the legend has the scores."""
    score = {"success": "auc", "precision": "precision", "norm": "norm_precision"}[curve]
    thresholds = np.array(getattr(convention, curve))
    ranked = sorted(trackers, key=lambda tracker: -getattr(tracker.scores, score))
    with rc_context(STYLE):
        figure, axes = new_figure(5.0, 4.0)
        for tracker in ranked:
            axes.plot(
                thresholds,
                getattr(tracker.scores.curves, curve),
                color=rgb(tracker.color),
                label=f"{tracker.name}  {100 * getattr(tracker.scores, score):.1f}",
            )
        across, down = _AXES[curve]
        axes.set(xlabel=across, ylabel=down, ylim=(0, 1.02), xlim=(0, thresholds[-1]))
        axes.legend(frameon=False, fontsize=9, loc="best")
        return svg(figure)


def attribute_figure(trackers: Sequence[ScoredTracker]) -> str:
    """Area under the success curve of the sequences with each attribute."""
    names = list(dict.fromkeys(name for tracker in trackers for name in tracker.attributes))
    with rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.9 + len(names) * (0.16 + 0.12 * len(trackers))))
        axes = figure.subplots()
        height = 0.8 / len(trackers)
        for number, tracker in enumerate(trackers):
            places = np.arange(len(names)) + (number - (len(trackers) - 1) / 2) * height
            values = [tracker.attributes[n].auc if n in tracker.attributes else 0 for n in names]
            axes.barh(places, values, height, color=rgb(tracker.color), label=tracker.name)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xlabel="AUC")
        axes.grid(False, axis="y")
        axes.legend(frameon=False, fontsize=9)
        return svg(figure)
