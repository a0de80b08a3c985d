"""Runs the official toolkit in a workspace, and checks that it did what it was asked to."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vot_integration.errors import EvaluationError
from vot_integration.evaluation.planning import PlannedRuns, cut_shards
from vot_integration.evaluation.shards import ShardJob
from vot_integration.evaluation.view import toolkit_view
from vot_integration.evaluation.workers import IN_TURN, Workers
from vot_integration.files import why_not_writable
from vot_integration.toolkit.logs import log_tail, newest_log
from vot_integration.toolkit.process import run_toolkit
from vot_integration.toolkit.results import Run, discard_unfinished
from vot_integration.workspaces.launch import launch_of
from vot_integration.workspaces.lock import exclusive
from vot_integration.workspaces.section_problems import start_problems
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, log_folder, registrations
from vot_integration.workspaces.workspace import Workspace

_TIMEOUT = "it did not reply in"
"""What the toolkit says of an answer that took too long."""


@dataclass(frozen=True)
class ExperimentProgress:
    """How far one experiment is: runs and frames of finished runs, and of all that will be made."""

    experiment: str
    runs: int
    all_runs: int
    frames: int
    all_frames: int


ProgressCallback = Callable[[ExperimentProgress], None]


def evaluate(
    workspace: Workspace,
    tracker: str,
    on_progress: ProgressCallback,
    workers: Workers = IN_TURN,
) -> list[Run]:
    """Run `vot evaluate` for all experiments of the workspace; finished runs are kept.

    Args:
        workspace: the workspace.
        tracker: name of a tracker in the workspace's registry.
        on_progress: called now and then, for each experiment.
        workers: who runs it.

    Returns:
        The runs whose result files are there.

    Raises:
        UsageError: another evaluation is running in the workspace.
        EvaluationError: results cannot be written, or a result file is missing afterwards.
    """
    with exclusive(workspace.folder):
        _check_disk(workspace)
        return _evaluate(workspace, tracker, on_progress, workers)


def _evaluate(
    workspace: Workspace, tracker: str, on_progress: ProgressCallback, workers: Workers
) -> list[Run]:
    results, foreign = workspace.results(tracker), workspace.has_foreign_results(tracker)
    runs = workspace.runs
    discard_unfinished(runs, results, foreign=foreign)
    started = time.time()

    planned = PlannedRuns(runs, results)

    def report() -> None:
        for experiment in workspace.stack.experiments:
            on_progress(_progress(experiment, planned.of(experiment), results))

    report()
    shards = [workspace]
    if workers.parts != 1:
        shards = cut_shards(workspace, tracker, workers.parts)
    jobs = [ShardJob(shard, tracker, number) for number, shard in enumerate(shards)]
    outcomes = workers.run(jobs, report)
    failed = [outcome for outcome in outcomes if not outcome.succeeded]
    required = [run for run in runs if run.required]
    missing = [run for run in required if not run.is_whole(results, foreign=foreign)]
    if missing or failed:
        _check_disk(workspace)
        output = next(iter(failed or outcomes)).output
        raise EvaluationError(_failure(workspace, tracker, runs, output, started))
    made = [run for run in runs if run.exists(results)]
    for experiment in workspace.stack.experiments:
        of_experiment = [run for run in made if run.experiment == experiment]
        on_progress(_progress(experiment, of_experiment, results))
    return made


def analyze(workspace: Workspace, tracker: str) -> Path:
    """Run `vot analysis`; returns the JSON file that it wrote.

    Raises:
        EvaluationError: the toolkit wrote none.
    """
    target = workspace.analysis(tracker)
    return _make(workspace, [tracker], ["analysis", "--format", "json"], target)


def report(workspace: Workspace, trackers: Sequence[str]) -> Path:
    """Run `vot report`; returns the HTML file that it wrote.

    Raises:
        EvaluationError: the toolkit wrote none.
    """
    target = workspace.report(trackers)
    return _make(workspace, trackers, ["report", "--format", "html"], target)


def pack(workspace: Workspace, tracker: str) -> Path:
    """Run `vot pack`; returns the archive, which lies in the workspace.

    Raises:
        EvaluationError: the toolkit made none, as when results are missing.
    """
    log = _toolkit_log(workspace, "pack", tracker)
    with toolkit_view(workspace, runs=False) as view:
        arguments = ["pack", "--workspace", str(view), tracker]
        _, output = run_toolkit(arguments, cwd=view, log=log)
        for archive in view.glob("*.zip"):
            return Path(shutil.move(archive, workspace.folder / archive.name))
    raise EvaluationError(f"vot pack failed for {tracker} ({log}):\n{log_tail(output)}")


def _make(
    workspace: Workspace, trackers: Sequence[str], command: Sequence[str], target: Path
) -> Path:
    target.unlink(missing_ok=True)
    name = "+".join(trackers)
    log = _toolkit_log(workspace, command[0], name)
    with toolkit_view(workspace, runs=False) as view:
        arguments = ["--workspace", str(view), "--name", name, *trackers]
        _, output = run_toolkit([*command, *arguments], cwd=view, log=log)
    if not target.is_file():
        _check_disk(workspace)
        raise EvaluationError(f"vot {command[0]} failed for {name} ({log}):\n{log_tail(output)}")
    return target


def _check_disk(workspace: Workspace) -> None:
    """Name the cause that the toolkit's own words would hide.

    Raises:
        EvaluationError: the workspace, or the folder for temporary files, cannot be written.
    """
    for folder in (workspace.folder / "results", workspace.folder, Path(tempfile.gettempdir())):
        reason = why_not_writable(folder)
        if reason is not None:
            raise EvaluationError(
                f"cannot write in {folder}: {reason}. Finished runs are kept: when it can be "
                "written again, the same command goes on"
            )


def _toolkit_log(workspace: Workspace, verb: str, tracker: str) -> Path:
    return workspace.folder / "logs" / f"vot-{verb}-{tracker}.log"


def _progress(experiment: str, runs: Sequence[Run], results: Path) -> ExperimentProgress:
    done = [run for run in runs if run.exists(results)]
    frames = [sum(run.frames for run in group) for group in (done, runs)]
    return ExperimentProgress(experiment, len(done), len(runs), frames[0], frames[1])


def _failure(
    workspace: Workspace, tracker: str, runs: Sequence[Run], output: str, started: float
) -> str:
    required = [run for run in runs if run.required]
    results, foreign = workspace.results(tracker), workspace.has_foreign_results(tracker)
    done = sum(run.is_whole(results, foreign=foreign) for run in required)
    kept = f"{done} of {len(required)} runs have results, and are kept"
    parts = [f"{tracker} failed: {kept if done else 'no run has results'}."]
    parts += ["The toolkit says:", log_tail(output)]
    file = workspace.folder / TRACKERS_FILE
    if _TIMEOUT in output and tracker not in registrations():
        parts.append(f"If it needs longer, write timeout = SECONDS into its section of {file}")
    if tracker not in registrations():
        section = launch_of(file, tracker, workspace.own.get(tracker, {}))
        parts += [f"In its section of {file}: {text}" for text in start_problems(section)]
    log = newest_log(log_folder(workspace.folder), since=started)
    log = log or newest_log(workspace.folder / "logs", since=started, pattern=f"{tracker}_*.log")
    if log is not None:
        text = log.read_text(encoding="utf-8", errors="replace")
        parts += [f"The tracker's own log ends so ({log}):", log_tail(text)]
    return "\n".join(parts)
