"""`arvot run`: sequences, workspace, evaluation, analysis and report in one go."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from vot_integration.evaluation.summary import RunSummary
from vot_integration.files import absolute, check_target, write_text
from vot_integration.pipeline.evaluate import Reporter, evaluate_tracker
from vot_integration.pipeline.init import plan_workspace
from vot_integration.pipeline.results import analyze_tracker, report_trackers
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.toolkit.stacks import EaoInterval
from vot_integration.workspaces.own_trackers import read_own_trackers
from vot_integration.workspaces.records import catalog_name, check_tracker, make_record
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, TrackerSettings
from vot_integration.workspaces.workspace import WorkspaceSpec, open_workspace


@dataclass(frozen=True)
class RunOptions:
    """Options of `arvot run`, as the user gave them.

    Attributes:
        tracker: registered name, with the suffix of its output.
        experiments: comma-separated names, or "all".
        workspace: folder.
        stack: name or file; None for that of the workspace, or the default one where it is new.
        sequences: folder with list.txt; None for those of the workspace, or the built-in ones.
        eao_interval: first and last frame; None for that of the workspace, or the default one.
        weights: name or file; None for the tracker's default.
        json: file for the summary, or None.
        device: torch device or "auto".
        precision: name of a precision or "auto".
        workers: who runs the experiments.
        config: file of settings, or None.
    """

    tracker: str
    experiments: str
    workspace: Path
    stack: str | None = None
    sequences: Path | None = None
    eao_interval: EaoInterval | None = None
    weights: str | None = None
    json: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    workers: WorkerOptions = field(default_factory=WorkerOptions)
    config: str | None = None


def run_evaluation(options: RunOptions, reporter: Reporter) -> RunSummary:
    """Evaluate a tracker with the official toolkit.

    Everything the user gave is checked before anything is written.

    Raises:
        UsageError: an option is wrong.
        EvaluationError: the tracker or the toolkit failed; finished runs are kept.
    """
    reporter.stage(f"Checking {options.tracker}, its weights and the sequences")
    spec = plan_run(options)
    workers = choose_workers(options.workers, spec.records[catalog_name(options.tracker)].device)
    if spec.dataset is None and not spec.folder.exists():
        reporter.stage("Rendering the built-in sequences")
    workspace = open_workspace(spec)
    evaluate_tracker(workspace, options.tracker, reporter, workers)
    summary = analyze_tracker(workspace, options.tracker, reporter)
    report_trackers(workspace, [options.tracker], reporter)
    if options.json is not None:
        write_text(options.json, summary.to_json())
    return summary


def plan_run(options: RunOptions) -> WorkspaceSpec:
    """Check all options and say what workspace they ask for; nothing is written.

    Raises:
        UsageError: an option is wrong.
    """
    folder = absolute(options.workspace)
    own = read_own_trackers(folder / TRACKERS_FILE)
    check_tracker(options.tracker, own)
    if options.json is not None:
        check_target(options.json, "--json")
    spec = plan_workspace(
        folder, options.stack, options.sequences, options.eao_interval, options.experiments
    )
    settings = TrackerSettings(options.weights, options.device, options.precision, options.config)
    record = make_record(options.tracker, settings, own)
    return replace(spec, records={catalog_name(options.tracker): record})
