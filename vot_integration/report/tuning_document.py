"""Pictures of a tuning: history, importance and slices, in one HTML file."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import alpharefine
from vot_integration.report.html import render_template
from vot_integration.report.plots import COLORS, STYLE, new_figure, rgb, svg

if TYPE_CHECKING:
    from vot_integration.pipeline.onekey import OneKey
    from vot_integration.pipeline.tune import Tuned
    from vot_integration.tuning.study import TrialPoint

_WHOLE, _PRUNED, _BEST = rgb(COLORS[1]), "0.65", rgb(COLORS[0])


def render_tuning(found: "Tuned") -> str:
    """The page of a tuning."""
    return render_template(
        "tuning.html.j2",
        found=found,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        arvot=alpharefine.__version__,
        history=history_figure(found.points),
        importance=importance_figure(found.importances) if found.importances else None,
        slices=[(name, slice_figure(found.points, name)) for name in found.best.values],
    )


def render_onekey(made: "OneKey") -> str:
    """The page of everything from training to a tuned tracker."""
    return render_template(
        "onekey.html.j2",
        made=made,
        date=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        arvot=alpharefine.__version__,
        epochs=epochs_figure(made.epochs, made.chosen),
        history=history_figure(made.tuned.points),
    )


def epochs_figure(epochs: Mapping[int, float], chosen: int) -> str:
    """The score of each epoch; the chosen one is marked."""
    with rc_context(STYLE):
        figure, axes = new_figure(7.5, 3.2)
        axes.plot(list(epochs), list(epochs.values()), marker=".", color=_WHOLE)
        axes.plot([chosen], [epochs[chosen]], marker="o", color=_BEST)
        axes.set(xlabel="epoch", ylabel="score")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return svg(figure)


def history_figure(points: "Sequence[TrialPoint]") -> str:
    """The objective of each trial, and the best so far."""
    whole = [point for point in points if not point.is_pruned]
    with rc_context(STYLE):
        figure, axes = new_figure(7.5, 3.2)
        _scatter(axes, [(point.number, point) for point in points])
        best = np.maximum.accumulate([point.value for point in whole])
        axes.step(
            [point.number for point in whole], best, where="post", color=_BEST, label="best so far"
        )
        axes.set(xlabel="trial", ylabel="objective")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False, fontsize=9)
        return svg(figure)


def importance_figure(importances: Mapping[str, float]) -> str:
    """How much each setting matters."""
    names = sorted(importances, key=lambda name: importances[name])
    with rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.9 + 0.3 * len(names)))
        axes = figure.subplots()
        axes.barh(names, [importances[name] for name in names], color=_WHOLE)
        axes.set(xlim=(0, 1), xlabel="importance")
        axes.grid(False, axis="y")
        return svg(figure)


def slice_figure(points: "Sequence[TrialPoint]", name: str) -> str:
    """The objective over one setting."""
    with rc_context(STYLE):
        figure, axes = new_figure(4.0, 3.0)
        _scatter(axes, [(p.values[name], p) for p in points if name in p.values])
        axes.set(xlabel=name, ylabel="objective")
        return svg(figure)


def _scatter(axes: object, places: "Sequence[tuple[float, TrialPoint]]") -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    for is_pruned, mark, color, label in (
        (False, "o", _WHOLE, "whole"),
        (True, "x", _PRUNED, "pruned"),
    ):
        chosen = [(x, p.value) for x, p in places if p.is_pruned is is_pruned]
        if chosen:
            across, up = zip(*chosen, strict=True)
            axes.scatter(across, up, marker=mark, color=color, s=18, label=label)
