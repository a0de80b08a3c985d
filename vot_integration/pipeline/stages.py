"""The parts of `arvot run`, each of them a command of its own: evaluate, analyse, report, pack."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from alpharefine.errors import UsageError
from vot_integration.evaluation.evaluate import Progress, analyse, evaluate, pack, report
from vot_integration.evaluation.planning import split_realtime
from vot_integration.evaluation.summary import ExperimentSummary, RunSummary
from vot_integration.evaluation.workers import IN_TURN, Workers
from vot_integration.files import absolute, write_text
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.sequences.folder import counted
from vot_integration.toolkit.logs import kept_answers
from vot_integration.toolkit.results import expected_runs, tally_runs
from vot_integration.toolkit.scores import explain_eao, read_scores
from vot_integration.toolkit.stacks import parse_experiments
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.records import (
    TrackerRecord,
    catalogue_name,
    check_tracker,
    make_record,
)
from vot_integration.workspaces.trackers_ini import TrackerSettings, log_folder
from vot_integration.workspaces.workspace import (
    Workspace,
    enroll_trackers,
    load_workspace,
    own_trackers,
)

_AS_BEFORE = TrackerSettings()
"""Asks for nothing in particular."""


class Reporter(Protocol):
    """Who is told how far a command is."""

    def stage(self, text: str) -> None:
        """A new stage has begun."""

    def progress(self, progress: Progress) -> None:
        """An experiment is that far; called about twice a second for each."""


def select_workspace(folder: Path, experiments: str | None) -> Workspace:
    """Read a workspace and choose experiments.

    Args:
        folder: the workspace.
        experiments: comma-separated names, or "all", or None for all.

    Raises:
        UsageError: no such workspace or experiment.
    """
    if experiments is None:
        return load_workspace(folder)
    stack = read_manifest(absolute(folder)).stack
    return load_workspace(folder, parse_experiments(experiments, stack))


def settle(
    workspace: Workspace, tracker: str, settings: TrackerSettings = _AS_BEFORE
) -> TrackerRecord:
    """Settle how a tracker runs in a workspace: as asked for, else as its results there were made.

    Raises:
        UsageError: no such tracker, or a setting is wrong.
    """
    own = own_trackers(workspace.folder)
    check_tracker(tracker, own)
    name = catalogue_name(tracker)
    if settings == _AS_BEFORE and name in workspace.records:
        settings = workspace.records[name].settings
    return make_record(tracker, settings, own)


def prepare_trackers(
    workspace: Workspace,
    trackers: Sequence[str],
    settings: TrackerSettings,
    options: WorkerOptions,
) -> tuple[Workspace, Mapping[str, Workers]]:
    """Settle how trackers run in a workspace, record it there, and hire who runs each of them.

    Raises:
        UsageError: a tracker, a setting or an option is wrong, or results there were made
            otherwise; nothing is written then.
    """
    records = {tracker: settle(workspace, tracker, settings) for tracker in trackers}
    workers = {
        tracker: choose_workers(options, record.device) for tracker, record in records.items()
    }
    named = {catalogue_name(tracker): record for tracker, record in records.items()}
    return enroll_trackers(workspace, named), workers


def evaluate_tracker(
    workspace: Workspace, tracker: str, reporter: Reporter, workers: Workers = IN_TURN
) -> None:
    """Run what is missing of a tracker's results, and tell of answers that were only repeated.

    Real-time experiments run after the others, in one process that has its device to itself.

    Raises:
        EvaluationError: the tracker or the toolkit failed; finished runs are kept.
    """
    started = time.time()
    _evaluate_all(workspace, tracker, reporter, workers)
    for event, count in kept_answers(log_folder(workspace.folder), started).items():
        reporter.stage(f"Note: {tracker} had {count} {event}, for which its last answer was kept")


def _evaluate_all(workspace: Workspace, tracker: str, reporter: Reporter, workers: Workers) -> None:
    number = counted(len(workspace.dataset.sequences))
    what = f"{tracker} on {number} in {workspace.folder}"
    if workers.parts == 1:
        reporter.stage(f"Evaluating {what}")
        evaluate(workspace, tracker, reporter.progress, workers)
        return
    free, timed = split_realtime(workspace)
    if free is not None:
        reporter.stage(f"Evaluating {what}, {workers.count} at a time")
        evaluate(free, tracker, reporter.progress, workers)
    if timed is not None:
        names = ", ".join(timed.stack.experiments)
        reporter.stage(f"Evaluating {names} of {tracker}: one at a time, alone on its device")
        evaluate(timed, tracker, reporter.progress, workers.alone())


def analyse_tracker(workspace: Workspace, tracker: str, reporter: Reporter) -> RunSummary:
    """Let the toolkit compute a tracker's scores.

    Raises:
        EvaluationError: the toolkit failed.
    """
    reporter.stage(f"Analysing {tracker}")
    analyse(workspace, tracker)
    return summarise(workspace, tracker)


def report_trackers(
    workspace: Workspace, trackers: Sequence[str], reporter: Reporter, output: Path | None = None
) -> Path:
    """Write the report of trackers that were analysed, and the toolkit's own beside it.

    Args:
        workspace: with experiments that are complete for all of them.
        trackers: registered names.
        reporter: is told what happens.
        output: file to write; None for the place in the workspace.

    Returns:
        The file.

    Raises:
        EvaluationError: the toolkit failed.
    """
    # Plotting libraries take a second to import.
    from vot_integration.report.document import make_report, render

    reporter.stage(f"Writing the report of {', '.join(trackers)}")
    official = report(workspace, trackers)
    file = output or official.with_name("arvot.html")
    write_text(file, render(make_report(workspace, trackers)))
    return file


def pack_tracker(workspace: Workspace, tracker: str, reporter: Reporter) -> Path:
    """Pack a tracker's results for a submission; returns the archive.

    Raises:
        EvaluationError: the toolkit failed.
    """
    reporter.stage(f"Packing the results of {tracker}")
    return pack(workspace, tracker)


def complete_part(workspace: Workspace, tracker: str, asked: str | None = None) -> Workspace:
    """The workspace with only the experiments for which a tracker has all results.

    Args:
        workspace: the workspace.
        tracker: registered name.
        asked: the experiments that were asked for by name, all of which must be complete.

    Raises:
        UsageError: there is none, or one that was asked for is not complete.
    """
    results = workspace.results(tracker)
    runs = expected_runs(workspace.stack.experiments, workspace.dataset.sequences)
    missing = [run.experiment for run in runs if run.required and not run.is_whole(results)]
    complete = [name for name in workspace.stack.experiments if name not in missing]
    if not complete or (asked is not None and missing):
        total = sum(run.required for run in runs)
        incomplete = ", ".join(dict.fromkeys(missing))
        raise UsageError(
            f"{tracker} has {total - len(missing)} of {total} results in {workspace.folder}; "
            f"not complete: {incomplete}; "
            f"run `arvot evaluate {tracker} --workspace {_quoted(workspace)}` first"
        )
    return replace(workspace, stack=workspace.stack.select(complete))


def common_part(
    workspace: Workspace, trackers: Sequence[str], asked: str | None = None
) -> Workspace:
    """The workspace with only the experiments that are complete for all trackers.

    Raises:
        UsageError: as `complete_part`.
    """
    for tracker in trackers:
        workspace = complete_part(workspace, tracker, asked)
    return workspace


def tell_left_out(
    workspace: Workspace, part: Workspace, trackers: Sequence[str], reporter: Reporter
) -> None:
    """Say which experiments are left out because results of trackers are not complete."""
    kept = part.stack.experiments
    names = [name for name in workspace.stack.experiments if name not in kept]
    if names:
        whose = "all of them" if len(trackers) > 1 else trackers[0]
        reporter.stage(f"Left out: {', '.join(names)}, not complete for {whose}")


def evaluated_trackers(workspace: Workspace, names: Sequence[str]) -> list[str]:
    """The trackers named, or else all that have results.

    Raises:
        UsageError: a name is not registered, or nothing has results.
    """
    for name in names:
        check_tracker(name, own_trackers(workspace.folder))
    folders = sorted(path for path in (workspace.folder / "results").glob("*") if path.is_dir())
    found = list(dict.fromkeys(names)) or [folder.name for folder in folders]
    if not found:
        raise UsageError(
            f"{workspace.folder} has no results yet: "
            f"run `arvot evaluate --workspace {_quoted(workspace)}` first"
        )
    return found


def summarise(workspace: Workspace, tracker: str) -> RunSummary:
    """Collect scores, speed and circumstances of a tracker that was analysed."""
    results = workspace.results(tracker)
    scores = read_scores(workspace.analysis(tracker))
    expected = expected_runs(workspace.stack.experiments, workspace.dataset.sequences)
    counts = {
        name: tally_runs([run for run in expected if run.experiment == name], results)
        for name in workspace.stack.experiments
    }
    baseline = counts.get("baseline")
    record = workspace.records[catalogue_name(tracker)]
    return RunSummary(
        toolkit=version("vot-toolkit"),
        tracker=tracker,
        weights=record.weights,
        sha256=record.sha256,
        random=record.random,
        stack=workspace.stack.name,
        eao_interval=workspace.interval,
        experiments={
            name: ExperimentSummary(
                explain_eao(
                    scores[name], workspace.stack.select([name]).find_interval(), count.longest
                ),
                count.sequences,
                count.frames,
            )
            for name, count in counts.items()
        },
        fps=baseline.fps if baseline else None,
        device=record.device,
        report=workspace.report([tracker]).with_name("arvot.html"),
    )


def _quoted(workspace: Workspace) -> str:
    return shlex.quote(str(workspace.folder))
