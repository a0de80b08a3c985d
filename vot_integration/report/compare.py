"""`arvot compare A B`: is one tracker better than the other, or is it the sequences?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alpharefine.errors import UsageError
from vot_integration.report.bootstrap import ConfidenceInterval, percentile_interval, resample
from vot_integration.report.collect import ExperimentResults, collect, read_sequences
from vot_integration.report.measures import SequenceMeasures, combine
from vot_integration.toolkit.experiments import experiment_type
from vot_integration.toolkit.scores import collect_remarks, eao_remark, headings, read_scores
from vot_integration.workspaces.workspace import Workspace

FEW_SEQUENCES = 5
"""With so many, all of them favor one of two equal trackers in more than 5 % of cases."""


@dataclass(frozen=True)
class Difference:
    """A measure of two trackers.

    Attributes:
        measure: its heading, such as "EAO" or "Quality".
        first: of the first tracker; None where it has no EAO.
        second: of the second tracker; None where it has no EAO.
        interval: 95 % bootstrap interval of first minus second, over sequences that both have;
            None unless both have a value.
    """

    measure: str
    first: float | None
    second: float | None
    interval: ConfidenceInterval | None

    @property
    def value(self) -> float | None:
        """First minus second, where both have a value."""
        if self.first is None or self.second is None:
            return None
        return self.first - self.second

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.interval is not None and (self.interval.low > 0 or self.interval.high < 0)


@dataclass(frozen=True)
class Comparison:
    """Two trackers in one experiment: differences, and what a reader must know of their EAOs."""

    differences: Sequence[Difference]
    remarks: Sequence[str]


def compare_trackers(workspace: Workspace, first: str, second: str) -> dict[str, Comparison]:
    """Compare two trackers in each experiment of a workspace; intervals are those of multi-start.

    Args:
        workspace: with experiments that are complete for both, which were analyzed unless they are
            multi-start.
        first: registered name.
        second: registered name.

    Raises:
        UsageError: none of the experiments measures anything.
    """
    sequences = read_sequences(workspace)
    found = zip(
        collect(workspace, first, sequences), collect(workspace, second, sequences), strict=True
    )
    interval = workspace.interval
    comparisons = {}
    for one, other in found:
        if one.measures and interval is not None:
            comparisons[one.name] = Comparison(
                compare(one.measures, other.measures, interval),
                _remarks({first: one, second: other}, interval),
            )
        elif one.name not in workspace.stack.unscored():
            scores = [read_scores(workspace.analysis(name))[one.name] for name in (first, second)]
            values = [entry.measured for entry in scores]
            comparisons[one.name] = Comparison(
                [
                    Difference(heading, values[0].get(heading), values[1].get(heading), None)
                    for heading in headings(scores)
                ],
                (),
            )
    if not comparisons:
        raise UsageError(
            f"stack {workspace.stack.name} has no measures for "
            f"{', '.join(workspace.stack.experiments)}: there is nothing to compare"
        )
    return comparisons


def analyzed_experiments(workspace: Workspace) -> list[str]:
    """Experiments whose measures `compare_trackers` takes from the toolkit's analyses."""
    unscored = workspace.stack.unscored()
    return [
        name
        for name, body in workspace.stack.experiments.items()
        if not experiment_type(body).starts_at_anchors and name not in unscored
    ]


def compare(
    first: Sequence[SequenceMeasures],
    second: Sequence[SequenceMeasures],
    interval: tuple[int, int],
) -> list[Difference]:
    """Differences of two trackers; both are resampled with the same sequences.

    Args:
        first: measures of the first tracker.
        second: of the second one, for the same sequences in the same order.
        interval: first and last frame of the EAO interval.

    Raises:
        UsageError: the sequences differ.
    """
    if [entry.sequence for entry in first] != [entry.sequence for entry in second]:
        raise UsageError("the trackers have results on different sequences: evaluate both on all")
    totals = combine(first, interval), combine(second, interval)
    samples = resample(first, interval), resample(second, interval)
    differences = []
    for name in ("eao", "accuracy", "robustness"):
        one, other = (getattr(total, name) for total in totals)
        bounds = None
        if one is not None and other is not None:
            bounds = percentile_interval(getattr(samples[0], name) - getattr(samples[1], name))
        heading = "EAO" if name == "eao" else name.title()
        differences.append(Difference(heading, one, other, bounds))
    return differences


def _remarks(trackers: Mapping[str, ExperimentResults], interval: tuple[int, int]) -> Sequence[str]:
    return collect_remarks(
        (
            name,
            eao_remark(combine(results.measures, interval).eao, interval, results.tally.longest),
        )
        for name, results in trackers.items()
    )
