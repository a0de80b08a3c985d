"""What is left to run, and cut into parts that can run at the same time.

Of repetitions that are equal the toolkit leaves out the rest. It starts a process of the tracker
for each sequence of an experiment, so parts that share no sequence write what one run over all of
them would write, byte for byte but for the times.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum, auto
from itertools import groupby
from pathlib import Path

from vot_integration.toolkit.experiments import EARLY_STOP_RUNS
from vot_integration.toolkit.results import Run
from vot_integration.workspaces.workspace import Workspace


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


def cut_shards(workspace: Workspace, tracker: str, count: int | None) -> list[Workspace]:
    """Cut what is missing of a tracker's results into parts of about equal work.

    Args:
        workspace: the experiments and sequences to run.
        tracker: its registered name.
        count: how many parts at most; None for a part a sequence.

    Returns:
        The workspace with a part of its sequences each, the longest part first; sequences whose
        results are all there are left out.
    """
    results = workspace.results(tracker)
    planned = PlannedRuns(workspace.runs, results)
    work = _frames(
        run
        for experiment in workspace.stack.experiments
        for run in planned.of(experiment)
        if not run.is_whole(results)
    )
    return [_part(workspace, names) for names in cut_evenly(work, count)]


def cut_evenly(work: Counter[str], count: int | None) -> list[list[str]]:
    """Cut work into parts that take about equally long.

    Args:
        work: frames of each sequence.
        count: how many parts at most; None for a part a sequence.

    Returns:
        Names of the sequences of each part, the longest part first; none is empty.
    """
    parts: list[list[str]] = [[] for _ in range(min(count or len(work), len(work)))]
    loads = [0] * len(parts)
    for name, frames in work.most_common():
        lightest = loads.index(min(loads))
        parts[lightest].append(name)
        loads[lightest] += frames
    ordered = sorted(range(len(parts)), key=lambda part: -loads[part])
    return [parts[part] for part in ordered]


def split_realtime(workspace: Workspace) -> tuple[Workspace | None, Workspace | None]:
    """The workspace with its experiments that may run in parallel, and with those that may not.

    In a real-time experiment the time of each frame decides about the next one, so nothing else may
    run on the device.

    Returns:
        Either is None where there is no such experiment.
    """
    experiments = workspace.stack.experiments
    timed = [name for name, body in experiments.items() if body.get("realtime")]
    others = [name for name in experiments if name not in timed]
    free = replace(workspace, stack=workspace.stack.select(others)) if others else None
    alone = replace(workspace, stack=workspace.stack.select(timed)) if timed else None
    return free, alone


def _frames(runs: Iterable[Run]) -> Counter[str]:
    frames: Counter[str] = Counter()
    for run in runs:
        frames[run.sequence] += run.frames
    return frames


def _part(workspace: Workspace, names: Iterable[str]) -> Workspace:
    chosen = set(names)
    sequences = tuple(entry for entry in workspace.dataset.sequences if entry.name in chosen)
    return replace(workspace, dataset=replace(workspace.dataset, sequences=sequences))
