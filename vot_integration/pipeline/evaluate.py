"""`arvot evaluate`: trackers are chosen, recorded and run in a workspace."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vot_integration.evaluation.evaluate import ExperimentProgress, evaluate
from vot_integration.evaluation.planning import split_realtime
from vot_integration.evaluation.workers import IN_TURN, Workers
from vot_integration.files import absolute
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.sequences.folder import counted
from vot_integration.toolkit.logs import kept_answers
from vot_integration.toolkit.stacks import parse_experiments
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.records import (
    TrackerRecord,
    catalog_name,
    check_tracker,
    make_record,
)
from vot_integration.workspaces.trackers_ini import TrackerSettings, log_folder
from vot_integration.workspaces.workspace import (
    Workspace,
    load_workspace,
    record_trackers,
)

_AS_BEFORE = TrackerSettings()
"""Asks for nothing in particular."""


class Reporter(Protocol):
    """Who is told how far a command is."""

    def stage(self, text: str) -> None:
        """A new stage has begun."""

    def progress(self, progress: ExperimentProgress) -> None:
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


def _record(workspace: Workspace, tracker: str, settings: TrackerSettings) -> TrackerRecord:
    """How a tracker runs in a workspace: as asked for, else as its results there were made."""
    check_tracker(tracker, workspace.own)
    name = catalog_name(tracker)
    if settings == _AS_BEFORE and name in workspace.records:
        settings = workspace.records[name].settings
    return make_record(tracker, settings, workspace.own)


def prepare_trackers(
    workspace: Workspace,
    trackers: Sequence[str],
    settings: TrackerSettings,
    options: WorkerOptions,
) -> tuple[Workspace, Mapping[str, Workers]]:
    """Decide how trackers run in a workspace, record it there, and choose who runs each of them.

    Raises:
        UsageError: a tracker, a setting or an option is wrong, or results there were made
            otherwise; nothing is written then.
    """
    records = {tracker: _record(workspace, tracker, settings) for tracker in trackers}
    workers = {
        tracker: choose_workers(options, record.device) for tracker, record in records.items()
    }
    named = {catalog_name(tracker): record for tracker, record in records.items()}
    return record_trackers(workspace, named), workers


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
