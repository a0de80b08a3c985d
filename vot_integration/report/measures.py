"""Measures of the multi-start protocol, sequence by sequence, so that sequences can be resampled.

The official toolkit gives one number for all sequences; these are the same numbers taken apart.
Source: Kristan et al., The Eighth Visual Object Tracking VOT2020 Challenge Results, section 2, and
the toolkit's own arithmetic where it differs from the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vot_integration.report.trajectories import TrackedRun

Curve = NDArray[np.float64]


@dataclass(frozen=True)
class FailureRule:
    """When a multi-start run counts as failed.

    Attributes:
        threshold: overlap up to which the target counts as lost.
        grace: consecutive frames with the target in view for which it must be lost.
    """

    threshold: float = 0.1
    grace: int = 10


def failure_rule(definition: Mapping[str, Any]) -> FailureRule:
    """The rule of an experiment, which its analyses may change."""
    default = FailureRule()
    for analysis in definition.get("analyses", []):
        if "threshold" in analysis or "grace" in analysis:
            threshold = float(analysis.get("threshold", default.threshold))
            return FailureRule(threshold, int(analysis.get("grace", default.grace)))
    return default


def frames_until_failure(run: TrackedRun, rule: FailureRule) -> int:
    """How many frames a run tracked, the initial one included; all of them without a failure."""
    lost = 0
    for frame, (overlap, present) in enumerate(zip(run.overlaps, run.present, strict=True)):
        lost = lost + 1 if overlap <= rule.threshold and present else 0
        if lost == rule.grace:
            return frame + 1 - rule.grace
    return len(run.overlaps)


@dataclass(frozen=True)
class SequenceMeasures:
    """What the runs of one sequence add to each measure; L is the length of the EAO curve.

    Attributes:
        sequence: its name.
        overlap_sum: sum of the overlaps until failure, over all runs.
        tracked: frames until failure.
        frames: all frames.
        length: frames of the sequence, by which the toolkit weights its robustness.
        curve_sum: L float, sum of the runs' mean overlaps up to each frame.
        curve_count: L float, number of the runs that count at each frame.
    """

    sequence: str
    overlap_sum: float
    tracked: int
    frames: int
    length: int
    curve_sum: Curve
    curve_count: Curve

    @property
    def accuracy(self) -> float:
        """Mean overlap until failure, 0..1."""
        return self.overlap_sum / self.tracked if self.tracked else 0.0

    @property
    def robustness(self) -> float:
        """Share of the frames until failure, 0..1."""
        return self.tracked / self.frames


def measure_sequence(
    name: str, frames: int, runs: Sequence[TrackedRun], rule: FailureRule, length: int
) -> SequenceMeasures:
    """Measure the runs of one sequence.

    Args:
        name: of the sequence.
        frames: its number of frames.
        runs: its runs, at least one.
        rule: when a run has failed.
        length: of the EAO curve, frames.
    """
    tracked = [frames_until_failure(run, rule) for run in runs]
    sums, counts = np.zeros(length), np.zeros(length)
    for run, until in zip(runs, tracked, strict=True):
        means, counted = _run_curve(run.overlaps, until, length)
        sums += means
        counts += counted
    return SequenceMeasures(
        name,
        float(sum(run.overlaps[:until].sum() for run, until in zip(runs, tracked, strict=True))),
        sum(tracked),
        sum(len(run.overlaps) for run in runs),
        frames,
        sums,
        counts,
    )


def _run_curve(overlaps: Curve, tracked: int, length: int) -> tuple[Curve, Curve]:
    """Mean overlap of a run up to each frame, without the first one; 1 where the run counts.

    A failed run goes on with overlap 0. Beyond its own length the toolkit divides its sum by one
    frame less than the frame's number.
    """
    means, counts = np.zeros(length), np.zeros(length)
    kept = overlaps.copy()
    kept[tracked:] = 0.0
    own = min(len(kept), length)
    sums = np.cumsum(kept[1:])
    means[1:own] = sums[: own - 1] / np.arange(1, own)
    counts[1:own] = 1
    if tracked < len(overlaps) and own < length:
        beyond = np.arange(own, length)
        means[own:] = (sums[-1] if sums.size else 0.0) / (beyond - 1)
        counts[own:] = 1
    return means, counts


@dataclass(frozen=True)
class Measures:
    """Measures over all sequences.

    Attributes:
        eao: expected average overlap in the interval, 0..1; None where no run counts in it.
        accuracy: mean overlap until failure, 0..1.
        robustness: share of the frames until failure, 0..1; sequences count by their length, not
            by the frames of their runs.
    """

    eao: float | None
    accuracy: float
    robustness: float


def eao_curve(sequences: Sequence[SequenceMeasures]) -> Curve:
    """Expected average overlap of runs of each length, L float; NaN where no run counts."""
    sums = sum((entry.curve_sum for entry in sequences), start=np.zeros(1))
    counts = sum((entry.curve_count for entry in sequences), start=np.zeros(1))
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def combine(sequences: Sequence[SequenceMeasures], interval: tuple[int, int]) -> Measures:
    """Measures over sequences.

    Args:
        sequences: at least one.
        interval: first and last frame of the EAO interval.
    """
    low, high = interval
    curve = eao_curve(sequences)[low : high + 1]
    tracked = sum(entry.tracked for entry in sequences)
    overlap_sum = sum(entry.overlap_sum for entry in sequences)
    return Measures(
        # The toolkit takes the curve for 0 where no run counts, and so a mean of nothing for 0.
        float(np.nan_to_num(curve).mean()) if np.isfinite(curve).any() else None,
        overlap_sum / tracked if tracked else 0.0,
        sum(entry.robustness * entry.length for entry in sequences)
        / sum(entry.length for entry in sequences),
    )
