"""`arvot benchmark run`: trackers run once through each sequence of a data set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alpharefine.onepass.truth import read_truths
from vot_integration.errors import EvaluationError
from vot_integration.evaluation.evaluate import ExperimentProgress
from vot_integration.evaluation.planning import cut_evenly
from vot_integration.evaluation.workers import Workers
from vot_integration.files import absolute, why_not_writable
from vot_integration.onepass.jobs import OnePassJob
from vot_integration.onepass.results import ResultFolder
from vot_integration.onepass.sequences import OnePassSet, read_set
from vot_integration.onepass.work import Work
from vot_integration.pipeline.evaluate import Reporter
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.sequences.folder import counted
from vot_integration.toolkit.logs import log_tail
from vot_integration.track.choice import Choice
from vot_integration.workspaces.lock import exclusive
from vot_integration.workspaces.own_trackers import Section, read_own_trackers
from vot_integration.workspaces.records import TrackerRecord, check_tracker, make_record
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, TrackerSettings


@dataclass(frozen=True)
class BenchmarkOptions:
    """Options of `arvot benchmark run`, as the user gave them.

    Attributes:
        data: folder of the data set.
        layout: of the data set.
        trackers: registered names.
        workspace: folder that results are written below, and whose trackers.ini is known.
        part: of the data set, None for the one that is scored.
        settings: how trackers run.
        workers: who runs them.
        keep_masks: whether masks are written.
    """

    data: Path
    layout: str
    trackers: Sequence[str]
    workspace: Path
    part: str | None = None
    settings: TrackerSettings = field(default_factory=TrackerSettings)
    workers: WorkerOptions = field(default_factory=WorkerOptions)
    keep_masks: bool = True


@dataclass(frozen=True)
class PlannedRun:
    """One tracker on one data set, checked.

    Attributes:
        tracker: registered name.
        data: the sequences.
        folder: of the results.
        record: how the tracker runs.
        own: its section of trackers.ini where it is one of the user's own.
        workers: who runs it.
        workspace: absolute path.
        keep_masks: whether masks are written.
    """

    tracker: str
    data: OnePassSet
    folder: ResultFolder
    record: TrackerRecord
    own: Mapping[str, Section]
    workers: Workers
    workspace: Path
    keep_masks: bool


def benchmark_folder(workspace: Path, layout: str) -> Path:
    """Folder of the results of all trackers on a data set in a workspace."""
    return absolute(workspace) / "benchmarks" / layout


def plan_benchmark(options: BenchmarkOptions) -> list[PlannedRun]:
    """Check all options; nothing is written.

    Raises:
        UsageError: an option is wrong.
    """
    workspace = absolute(options.workspace)
    own = read_own_trackers(workspace / TRACKERS_FILE)
    for tracker in options.trackers:
        check_tracker(tracker, own)
    data = read_set(options.data, options.layout, options.part)
    if data.has_truth:
        # What is wrong with the truth is found before days of running.
        read_truths(data.root, options.layout, options.part)
    runs = []
    for tracker in dict.fromkeys(options.trackers):
        record = make_record(tracker, options.settings, own)
        folder = ResultFolder(benchmark_folder(workspace, options.layout) / tracker)
        folder.check(record, str(data.root))
        runs.append(
            PlannedRun(
                tracker,
                data,
                folder,
                record,
                {name: section for name, section in own.items() if name == tracker},
                choose_workers(options.workers, record.device),
                workspace,
                options.keep_masks,
            )
        )
    return runs


def run_benchmark(plan: PlannedRun, reporter: Reporter) -> None:
    """Run what is missing of a tracker's results.

    Raises:
        UsageError: results there were made otherwise, or another run is at work on them.
        EvaluationError: the tracker failed; finished sequences are kept.
    """
    folder, data = plan.folder, plan.data
    folder.record(plan.record, str(data.root))
    with exclusive(folder.path):
        _check_disk(folder.path)
        missing = [entry for entry in data.sequences if not folder.is_done(entry)]
        at_once = f", {plan.workers.count} at a time" if plan.workers.count > 1 else ""
        number = counted(len(data.sequences))
        reporter.stage(f"Running {plan.tracker} on {number} of {data.root}{at_once}")

        def report() -> None:
            reporter.progress(_progress(data, folder))

        report()
        work = Counter({entry.name: entry.count for entry in missing})
        outcomes = plan.workers.run(_jobs(plan, cut_evenly(work, plan.workers.parts)), report)
        report()
        left = [entry.name for entry in missing if not folder.is_done(entry)]
        if left:
            _check_disk(folder.path)
            failed = [outcome for outcome in outcomes if not outcome.succeeded] or outcomes
            done = len(data.sequences) - len(left)
            raise EvaluationError(
                f"{plan.tracker} failed: {done} of {len(data.sequences)} sequences have results, "
                f"and are kept.\n{log_tail(failed[0].output if failed else '')}"
            )


def _jobs(plan: PlannedRun, parts: Sequence[Sequence[str]]) -> list[OnePassJob]:
    sequences = {entry.name: entry for entry in plan.data.sequences}
    choice = Choice(plan.tracker, plan.record.settings, plan.workspace)
    logs = plan.workspace / "logs"
    return [
        OnePassJob(
            Work(
                choice, tuple(sequences[name] for name in names), plan.folder.path, plan.keep_masks
            ),
            plan.record,
            plan.own,
            logs / f"benchmark-{plan.data.layout}-{plan.tracker}-{number}.log",
        )
        for number, names in enumerate(parts, start=1)
    ]


def _progress(data: OnePassSet, folder: ResultFolder) -> ExperimentProgress:
    done = [entry for entry in data.sequences if folder.is_done(entry)]
    frames = [sum(entry.count for entry in group) for group in (done, data.sequences)]
    return ExperimentProgress(data.layout, len(done), len(data.sequences), frames[0], frames[1])


def _check_disk(folder: Path) -> None:
    reason = why_not_writable(folder)
    if reason is not None:
        raise EvaluationError(
            f"cannot write in {folder}: {reason}. Finished sequences are kept: when it can be "
            "written again, the same command goes on"
        )
