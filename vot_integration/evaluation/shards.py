"""A workspace cut into parts that can run at the same time.

The toolkit starts a process of the tracker for each sequence of an experiment. So parts that share
no sequence write what one run over all of them would write, byte for byte but for the times.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from vot_integration.evaluation.repetitions import PlannedRuns
from vot_integration.evaluation.results import Run, expected_runs
from vot_integration.workspaces.workspace import Workspace


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
    runs = expected_runs(workspace.stack.experiments, workspace.dataset.sequences)
    planned = PlannedRuns(runs, results)
    work = _frames(
        run
        for experiment in workspace.stack.experiments
        for run in planned.of(experiment)
        if not run.is_whole(results)
    )
    parts: list[list[str]] = [[] for _ in range(min(count or len(work), len(work)))]
    loads = [0] * len(parts)
    for name, frames in work.most_common():
        lightest = loads.index(min(loads))
        parts[lightest].append(name)
        loads[lightest] += frames
    ordered = sorted(range(len(parts)), key=lambda part: -loads[part])
    return [_part(workspace, parts[part]) for part in ordered]


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
