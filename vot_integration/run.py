"""`arvot run`: sequences, workspace, evaluation, analysis and report in one go."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from alpharefine.errors import UsageError
from vot_integration.dataset import Dataset, read_dataset
from vot_integration.evaluate import Progress, analyse, evaluate, report
from vot_integration.results import Run, tally_runs
from vot_integration.scores import read_scores
from vot_integration.stacks import LOCAL_INTERVAL, Interval, Stack, load_stack, parse_experiments
from vot_integration.summary import ExperimentSummary, RunSummary
from vot_integration.trackers_ini import TrackerSettings, find_registration
from vot_integration.workspace import (
    TrackerRecord,
    Workspace,
    WorkspaceSpec,
    open_workspace,
    write_text,
)


@dataclass(frozen=True)
class RunOptions:
    """Options of `arvot run`, as the user gave them.

    Attributes:
        tracker: registered name, with the suffix of its output.
        experiments: comma-separated names, or "all".
        stack: name or file.
        workspace: folder.
        sequences: folder with list.txt; None for the built-in sequences.
        eao_interval: first and last frame; None for the default of the sequences.
        weights: name or file; None for the tracker's default.
        json: file for the summary, or None.
        device: torch device or "auto".
        precision: name of a precision or "auto".
    """

    tracker: str
    experiments: str
    stack: str
    workspace: Path
    sequences: Path | None = None
    eao_interval: Interval | None = None
    weights: str | None = None
    json: Path | None = None
    device: str = "auto"
    precision: str = "auto"


@dataclass(frozen=True)
class RunPlan:
    """A run whose options have all been checked.

    Attributes:
        spec: the workspace to run in.
        tracker: registered name of the tracker.
        interval: the EAO interval, which is also in the workspace's stack.
        random_weights: whether the weights are random, not trained.
    """

    spec: WorkspaceSpec
    tracker: str
    interval: Interval
    random_weights: bool


class Reporter(Protocol):
    """Who is told how far a run is."""

    def stage(self, text: str) -> None:
        """A new stage has begun."""

    def progress(self, progress: Progress) -> None:
        """An experiment is that far; called about twice a second for each."""


def run_evaluation(options: RunOptions, reporter: Reporter) -> RunSummary:
    """Evaluate a tracker with the official toolkit.

    Everything the user gave is checked before anything is written.

    Raises:
        UsageError: an option is wrong.
        EvaluationError: the tracker or the toolkit failed; finished runs are kept.
    """
    reporter.stage(f"Checking {options.tracker}, its weights and the sequences")
    plan = plan_run(options)
    if plan.spec.dataset is None and not plan.spec.folder.exists():
        reporter.stage("Rendering the built-in sequences")
    workspace = open_workspace(plan.spec)
    sequences = len(workspace.dataset.sequences)
    reporter.stage(f"Evaluating {plan.tracker} on {sequences} sequences in {workspace.folder}")
    runs = evaluate(workspace, plan.tracker, reporter.progress)
    reporter.stage("Analysing")
    analyse(workspace, plan.tracker)
    reporter.stage("Writing the report")
    report(workspace, plan.tracker)
    summary = _summarise(plan, workspace, runs)
    if options.json is not None:
        write_text(options.json, summary.to_json())
    return summary


def plan_run(options: RunOptions) -> RunPlan:
    """Check all options and say what workspace they ask for; nothing is written.

    Raises:
        UsageError: an option is wrong.
    """
    registration = find_registration(options.tracker)
    stack = load_stack(options.stack)
    chosen = stack.select(parse_experiments(options.experiments, stack))
    if options.json is not None:
        _check_target(options.json)
    dataset = None
    if options.sequences is not None:
        dataset = read_dataset(options.sequences, chosen)
    interval = _interval(options.eao_interval, stack, dataset)
    record, random_weights = _tracker_record(registration.tracker, options)
    folder = options.workspace.expanduser().absolute()
    spec = WorkspaceSpec(
        folder, dataset, chosen.with_interval(interval), registration.tracker, record
    )
    return RunPlan(spec, registration.name, interval, random_weights)


def _check_target(file: Path) -> None:
    if file.is_dir():
        raise UsageError(f"--json {file} is a folder; name a file in it")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"--json {file}: there is no folder {file.parent}; make it first")


def _interval(chosen: Interval | None, stack: Stack, dataset: Dataset | None) -> Interval:
    if chosen is not None:
        low, high = chosen
        if not 0 < low <= high:
            raise UsageError(f"--eao-interval {low} {high}: give 0 < LOW <= HIGH, in frames")
        return chosen
    is_official = dataset is not None and dataset.is_official()
    return stack.interval() if stack.from_file or is_official else LOCAL_INTERVAL


def _tracker_record(tracker: str, options: RunOptions) -> tuple[TrackerRecord, bool]:
    # Everything that brings in torch is imported here, after the quick checks.
    from alpharefine.catalogue import build_tracker, resolve_weights
    from alpharefine.runtime import resolve_runtime

    runtime = resolve_runtime(options.device, options.precision)
    weights = _absolute_weights(options.weights)
    found = resolve_weights(tracker, weights)
    if weights is not None:
        # Weights that do not fit the network are refused now, not by the server.
        build_tracker(tracker, device="cpu", weights=weights)
    settings = TrackerSettings(weights, options.device, options.precision)
    device = str(runtime.device)
    record = TrackerRecord(found.name, found.sha256, device, options.precision, settings)
    return record, found.random


def _absolute_weights(value: str | None) -> str | None:
    """The same weights for a server, which runs in a folder of its own."""
    from alpharefine.weights.registry import WEIGHTS

    if value is None:
        return None
    items = [value] if Path(value).exists() else value.split(",")
    are_paths = [item not in WEIGHTS and Path(item).exists() for item in items]
    return ",".join(
        str(Path(item).absolute()) if is_path else item
        for item, is_path in zip(items, are_paths, strict=True)
    )


def _summarise(plan: RunPlan, workspace: Workspace, runs: list[Run]) -> RunSummary:
    scores = read_scores(workspace.analysis(plan.tracker))
    counts = {
        name: tally_runs(
            [run for run in runs if run.experiment == name], workspace.results(plan.tracker)
        )
        for name in workspace.stack.experiments
    }
    baseline = counts.get("baseline")
    return RunSummary(
        toolkit=version("vot-toolkit"),
        tracker=plan.tracker,
        weights=plan.spec.record.weights,
        sha256=plan.spec.record.sha256,
        random=plan.random_weights,
        stack=workspace.stack.name,
        eao_interval=plan.interval,
        experiments={
            name: ExperimentSummary(scores[name], count.sequences, count.frames)
            for name, count in counts.items()
        },
        fps=baseline.fps if baseline else None,
        device=plan.spec.record.device,
        report=workspace.report(plan.tracker),
        longest_run=max(run.frames for run in runs),
    )
