"""Measures taken apart by sequence, and their bootstrap, on made-up runs."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from alpharefine.errors import UsageError
from vot_integration.commands.compare import comparison_table
from vot_integration.report.bootstrap import percentile_interval, resample
from vot_integration.report.compare import compare
from vot_integration.report.measures import (
    FailureRule,
    SequenceMeasures,
    combine,
    eao_curve,
    failure_rule,
    frames_until_failure,
    measure_sequence,
)
from vot_integration.report.trajectories import TrackedRun
from vot_integration.toolkit.results import Run

RULE = FailureRule(threshold=0.1, grace=3)
INTERVAL = (2, 6)
LENGTH = 6


def make_run(overlaps: list[float], absent: tuple[int, ...] = ()) -> TrackedRun:
    count = len(overlaps)
    present = np.array([frame not in absent for frame in range(count)])
    nothing = np.zeros(count, np.bool_)
    return TrackedRun(
        Run("baseline", "s", "s_00000000", count),
        np.arange(count),
        np.array(overlaps, np.float64),
        present,
        ~nothing,
        nothing,
        np.full(count, 0.01),
    )


def toolkit_partial(
    overlaps: list[list[float]], success: list[bool], length: int
) -> tuple[list[float], list[float]]:
    """The toolkit's own loop."""
    from vot.analysis.multistart import compute_eao_partial

    curve, active = compute_eao_partial(overlaps, success, length)
    return list(curve), list(active)


@pytest.mark.parametrize(
    ("overlaps", "absent", "expected"),
    [
        ([0, 0.9, 0.9, 0.9, 0.9], (), 5),
        ([0, 0.9, 0.0, 0.1, 0.0, 0.9], (), 2),
        ([0, 0.9, 0.0, 0.0, 0.9, 0.0, 0.0], (), 7),
        ([0, 0.9, 0.0, 0.0, 0.0, 0.9], (3,), 6),
        ([0, 0, 0], (), 0),
    ],
)
def test_failure_is_when_it_began(
    overlaps: list[float], absent: tuple[int, ...], expected: int
) -> None:
    assert frames_until_failure(make_run(overlaps, absent), RULE) == expected


def test_rule_of_an_experiment() -> None:
    assert failure_rule({}) == FailureRule(0.1, 10)
    assert failure_rule({"analyses": [{"low": 3}, {"grace": 4}]}) == FailureRule(0.1, 4)


overlap = st.sampled_from([0.0, 0.05, 0.3, 0.7, 1.0])
runs_of_a_sequence = st.lists(
    st.lists(overlap, min_size=2, max_size=12).map(lambda run: [0.0, *run]), min_size=1, max_size=4
)


@given(runs_of_a_sequence, st.integers(2, 15))
def test_curve_is_the_toolkits(runs: list[list[float]], length: int) -> None:
    tracked = [make_run(run) for run in runs]
    found = measure_sequence("s", length, tracked, RULE, length)
    kept, success = [], []
    for run in tracked:
        until = frames_until_failure(run, RULE)
        kept.append([*run.overlaps[:until], *[0.0] * (len(run.overlaps) - until)])
        success.append(until == len(run.overlaps))
    curve, active = toolkit_partial(kept, success, length)
    assert found.curve_count.tolist() == active
    own = eao_curve([found])
    assert (np.isnan(own) == (found.curve_count == 0)).all()
    np.testing.assert_allclose(np.nan_to_num(own), curve, atol=1e-12)


@given(st.lists(runs_of_a_sequence, min_size=1, max_size=4))
def test_totals_are_the_toolkits(sequences: list[list[list[float]]]) -> None:
    from vot.analysis.multistart import AverageAccuracyRobustness

    measures = [
        measure_sequence(str(number), 5 + 7 * number, [make_run(run) for run in runs], RULE, LENGTH)
        for number, runs in enumerate(sequences)
    ]
    total = combine(measures, INTERVAL)
    assert all(0 <= value <= 1 for value in (total.eao or 0, total.accuracy, total.robustness))
    if any(m.tracked for m in measures):
        rows = [(m.accuracy, m.robustness, None, m.tracked, m.length) for m in measures]
        accuracy, robustness, *_ = AverageAccuracyRobustness().aggregate(None, None, rows)
        assert total.accuracy == pytest.approx(accuracy)
        assert total.robustness == pytest.approx(robustness)


def make_measures(name: str, level: float, frames: int = 8) -> SequenceMeasures:
    runs = [make_run([0.0] + [level] * (frames - 1))]
    return measure_sequence(name, frames, runs, RULE, LENGTH)


def test_equal_sequences_have_no_spread() -> None:
    samples = resample([make_measures(str(n), 0.6) for n in range(5)], INTERVAL)
    bounds = percentile_interval(samples.eao)
    assert bounds.low == pytest.approx(0.6) and bounds.high == pytest.approx(0.6)
    assert samples.eao.shape == samples.robustness.shape == (10_000,)


def test_interval_contains_the_value_and_is_repeatable() -> None:
    measures = [make_measures(str(n), 0.3 + 0.05 * n) for n in range(10)]
    first, second = (percentile_interval(resample(measures, INTERVAL).eao) for _ in range(2))
    assert first == second
    value = combine(measures, INTERVAL).eao
    assert value is not None
    assert first.low < value < first.high
    # The mean of n draws spreads like the values' deviation over the root of n.
    deviation = np.std([0.3 + 0.05 * n for n in range(10)]) / 10**0.5
    assert first.high - first.low == pytest.approx(2 * 1.96 * deviation, rel=0.1)


def test_no_eao_where_no_run_counts() -> None:
    """Only a run that is long enough counts in the interval, or one that has failed."""
    short, lost = make_measures("short", 0.9, frames=5), make_measures("lost", 0.0, frames=5)
    assert combine([short], (5, 6)).eao is None and combine([short], (6, 6)).eao is None
    assert combine([lost], (5, 6)).eao == combine([lost, short], (5, 6)).eao == 0.0
    assert combine([make_measures("long", 0.9), short], (5, 6)).eao == pytest.approx(0.9)


def test_resamples_without_an_eao_do_not_count() -> None:
    sequences = [make_measures("long", 0.6), make_measures("short", 0.6, frames=3)]
    samples = resample(sequences, (4, 6)).eao
    assert 0.2 < np.isnan(samples).mean() < 0.3
    bounds = percentile_interval(samples)
    assert bounds.low == pytest.approx(0.6) == pytest.approx(bounds.high)
    assert np.isnan(resample(sequences[1:], (4, 6)).eao).all()
    assert np.isnan(resample(sequences, (6, 6)).eao).all()


def test_difference_to_a_tracker_without_an_eao() -> None:
    seen = [make_measures("s", 0.0, frames=4)]
    unseen = [make_measures("s", 0.5, frames=4)]
    for first, second in ((seen, unseen), (unseen, seen), (unseen, unseen)):
        eao, accuracy, _ = compare(first, second, (5, 6))
        assert (eao.value, eao.interval, eao.is_clear) == (None, None, False)
        assert accuracy.value is not None and accuracy.interval is not None


def test_a_constant_difference_is_clear_however_much_sequences_differ() -> None:
    levels = [0.15 + 0.08 * n for n in range(10)]
    better = [make_measures(str(n), level + 0.02) for n, level in enumerate(levels)]
    worse = [make_measures(str(n), level) for n, level in enumerate(levels)]
    eao, accuracy, robustness = compare(better, worse, INTERVAL)
    assert (eao.measure, eao.is_clear) == ("EAO", True)
    assert eao.value == pytest.approx(0.02) == pytest.approx(eao.interval.low)
    assert accuracy.is_clear and not robustness.is_clear


def test_a_table_of_long_names_fits_a_terminal() -> None:
    better, worse = ([make_measures(str(n), level) for n in range(10)] for level in (0.5, 0.4))
    names = ("ARDiMP_lite_rotated", "ARDiMP_v20_rotated")
    console = Console(width=80, file=io.StringIO(), force_terminal=False)
    with console.capture() as shown:
        console.print(comparison_table("baseline", names, compare(better, worse, INTERVAL)))
    words = [re.split(r" *[│┃] *", line)[1:-1] for line in shown.get().splitlines()]
    assert ["ARDiMP_lite_rotated", "0.500", "0.438", "1.000"] in words
    assert ["ARDiMP_v20_rotated", "0.400", "0.350", "1.000"] in words
    assert ["difference", "+0.100", "+0.087", "+0.000"] in words
    assert ["verdict", "clear", "clear", "equal"] in words


def test_other_sequences_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="different sequences"):
        compare([make_measures("a", 0.5)], [make_measures("b", 0.5)], INTERVAL)
