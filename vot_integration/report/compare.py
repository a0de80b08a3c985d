"""`arvot compare A B`: is one tracker better than the other, or is it the sequences?"""

from collections.abc import Sequence
from dataclasses import dataclass

from alpharefine.errors import UsageError
from vot_integration.report.bootstrap import Interval, percentile_interval, resample
from vot_integration.report.collect import collect, read_sequences
from vot_integration.report.measures import SequenceMeasures, combine
from vot_integration.workspace import Workspace


@dataclass(frozen=True)
class Difference:
    """A measure of two trackers.

    Attributes:
        measure: "EAO", "Accuracy" or "Robustness".
        first: of the first tracker.
        second: of the second tracker.
        interval: 95 % bootstrap interval of first minus second, over sequences that both have.
    """

    measure: str
    first: float
    second: float
    interval: Interval

    @property
    def value(self) -> float:
        """First minus second."""
        return self.first - self.second

    @property
    def is_clear(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.interval.low > 0 or self.interval.high < 0


def compare_trackers(workspace: Workspace, first: str, second: str) -> dict[str, list[Difference]]:
    """Differences of two trackers in each multi-start experiment of a workspace.

    Args:
        workspace: with experiments that are complete for both.
        first: registered name.
        second: registered name.

    Raises:
        UsageError: none of the experiments is multi-start.
    """
    sequences = read_sequences(workspace)
    found = zip(
        collect(workspace, first, sequences), collect(workspace, second, sequences), strict=True
    )
    differences = {
        one.name: compare(one.measures, other.measures, workspace.interval)
        for one, other in found
        if one.measures and workspace.interval is not None
    }
    if not differences:
        raise UsageError(
            "only multi-start experiments (VOT2020 and later) can be compared; "
            f"complete are {', '.join(workspace.stack.experiments)}"
        )
    return differences


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
    return [
        Difference(
            name.title() if name != "eao" else "EAO",
            getattr(totals[0], name),
            getattr(totals[1], name),
            percentile_interval(getattr(samples[0], name) - getattr(samples[1], name)),
        )
        for name in ("eao", "accuracy", "robustness")
    ]
