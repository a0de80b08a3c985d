"""Plots with names of any characters."""

import warnings

from tests.report.test_measures import make_run
from vot_integration.report.collect import ExperimentResults
from vot_integration.report.figures import TrackerResults, bars_figure
from vot_integration.report.measures import FailureRule, measure_sequence
from vot_integration.toolkit.results import RunTally


def test_names_of_sequences_are_shown_as_they_are() -> None:
    run = make_run([1.0, 0.5, 0.5])
    names = ("名", "a$b_1$", "$\\foo{", "<b>&")
    measures = [measure_sequence(name, 3, [run], FailureRule(), 3) for name in names]
    tally = RunTally(len(names), 3, 3, 0.1, 3)
    results = ExperimentResults("baseline", False, {}, measures, {}, tally)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot = bars_figure([TrackerResults("T", (0, 0, 0), [results])], "baseline")
    for shown in ("名", "a$b_1$", "$\\foo{", "&lt;b&gt;&amp;"):
        assert shown in plot
