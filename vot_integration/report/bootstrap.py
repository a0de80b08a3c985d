"""How much a score would change with other sequences of the same kind.

Sequences, not frames, are drawn with replacement: frames of one sequence say nearly the same.
Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), percentile interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vot_integration.report.measures import SequenceMeasures

RESAMPLES = 10_000
CONFIDENCE = 0.95

_SEED = 2020
_CHUNK = 1000

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class ConfidenceInterval:
    """A percentile interval: 95 % of the resampled values lie in it."""

    low: float
    high: float


@dataclass(frozen=True)
class Resampled:
    """Measures of each resample, `RESAMPLES` float each; NaN where a resample has no EAO."""

    eao: Samples
    accuracy: Samples
    robustness: Samples


def resample(sequences: Sequence[SequenceMeasures], interval: tuple[int, int]) -> Resampled:
    """Measures of resampled sets of sequences; equal numbers of sequences give equal draws.

    Args:
        sequences: at least one.
        interval: first and last frame of the EAO interval.
    """
    sums = np.stack([entry.curve_sum for entry in sequences])
    counts = np.stack([entry.curve_count for entry in sequences])
    low, high = interval
    sums, counts = sums[:, low : high + 1], counts[:, low : high + 1]
    totals = np.array(
        [(s.overlap_sum, s.tracked, s.robustness * s.length, s.length) for s in sequences]
    )
    parts = []
    for weights in _draws(len(sequences)):
        shared = weights @ counts
        curve = np.divide(weights @ sums, shared, out=np.zeros_like(shared), where=shared > 0)
        overlap, tracked, robust, length = (weights @ totals).T
        accuracy = np.divide(overlap, tracked, out=np.zeros_like(tracked), where=tracked > 0)
        seen = shared.any(axis=1)
        nothing = np.full(len(curve), np.nan)
        eao = np.divide(curve.sum(axis=1), curve.shape[1], out=nothing, where=seen)
        parts.append((eao, accuracy, robust / length))
    return Resampled(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def resample_means(values: Samples) -> Samples:
    """Means of resampled sets of sequences, `RESAMPLES` float; see `resample`.

    Args:
        values: one a sequence.
    """
    return np.concatenate([weights @ values / len(values) for weights in _draws(len(values))])


def percentile_interval(values: Samples) -> ConfidenceInterval:
    """The interval that leaves out as many values below as above.

    Args:
        values: at least one that is not NaN; those that are do not count.
    """
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(values, (tail, 1 - tail))
    return ConfidenceInterval(float(low), float(high))


def _draws(count: int) -> list[NDArray[np.float64]]:
    """How often each of `count` sequences is in each resample, in chunks of rows."""
    random = np.random.default_rng(_SEED)
    shares = np.full(count, 1 / count)
    return [
        random.multinomial(count, shares, size=_CHUNK).astype(np.float64)
        for _ in range(RESAMPLES // _CHUNK)
    ]
