"""Which runs the toolkit will make: of repetitions that are equal it leaves out the rest."""

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from itertools import groupby
from pathlib import Path

from vot_integration.evaluation.results import EARLY_STOP_RUNS, Run


class _State(Enum):
    """What is known of the repetitions in one sequence."""

    OPEN = auto()
    EQUAL = auto()
    VARYING = auto()


class PlannedRuns:
    """The runs that the toolkit will make, as far as the finished ones tell.

    A tracker is taken for one that repeats itself, and only the required runs are planned, until
    two of its repetitions differ. The toolkit compares regions by their overlap, and here they are
    compared byte by byte: what is planned may be more than what is made in the end.
    """

    def __init__(self, runs: Iterable[Run], results: Path) -> None:
        self._runs = list(runs)
        self._results = results
        self._compared: dict[tuple[Run, ...], bool] = {}

    def of(self, experiment: str) -> list[Run]:
        """The runs of one experiment, finished ones among them."""
        runs = [run for run in self._runs if run.experiment == experiment]
        if all(run.required for run in runs):
            return runs
        groups = [list(group) for _, group in groupby(runs, lambda run: run.sequence)]
        states = [self._state(group) for group in groups]
        unsettled = _State.VARYING if _State.VARYING in states else _State.EQUAL
        return [
            run
            for group, state in zip(groups, states, strict=True)
            for run in group
            if run.required or (unsettled if state is _State.OPEN else state) is _State.VARYING
        ]

    def _state(self, repetitions: Sequence[Run]) -> _State:
        done = tuple(run for run in repetitions if run.exists(self._results))
        if not all(run.required for run in done) or self._differ(done):
            return _State.VARYING
        return _State.EQUAL if len(done) >= EARLY_STOP_RUNS else _State.OPEN

    def _differ(self, done: tuple[Run, ...]) -> bool:
        if done not in self._compared:
            if not all(run.is_whole(self._results) for run in done):
                # One of them is being written.
                return False
            self._compared[done] = len({run.read_regions(self._results) for run in done}) > 1
        return self._compared[done]
