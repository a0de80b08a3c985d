"""What is made of results: scores, summaries, reports, and what is packed for a submission."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from alpharefine.data.images import list_folders
from alpharefine.errors import UsageError
from vot_integration.evaluation.completeness import (
    first_flaw,
    quoted_folder,
    unfit_name,
    way_to_complete,
)
from vot_integration.evaluation.evaluate import analyze, pack, report
from vot_integration.evaluation.summary import ExperimentSummary, RunSummary
from vot_integration.files import write_text
from vot_integration.pipeline.evaluate import Reporter
from vot_integration.toolkit.interface import toolkit_version
from vot_integration.toolkit.results import tally_runs
from vot_integration.toolkit.scores import explain_eao, read_scores
from vot_integration.workspaces.records import check_tracker, tuned_notes
from vot_integration.workspaces.workspace import Workspace


def analyze_tracker(workspace: Workspace, tracker: str, reporter: Reporter) -> RunSummary:
    """Let the toolkit compute a tracker's scores.

    Raises:
        EvaluationError: the toolkit failed.
    """
    reporter.stage(f"Analyzing {tracker}")
    analyze(workspace, tracker)
    return summarize(workspace, tracker)


def report_trackers(
    workspace: Workspace, trackers: Sequence[str], reporter: Reporter, output: Path | None = None
) -> Path:
    """Write the report of trackers that were analyzed, and the toolkit's own beside it.

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
    unfit = unfit_name(workspace, tracker)
    if unfit is not None:
        raise UsageError(unfit)
    results, foreign = workspace.results(tracker), workspace.has_foreign_results(tracker)
    required = [run for run in workspace.runs if run.required]
    missing = [run.experiment for run in required if not run.is_whole(results, foreign=foreign)]
    complete = [name for name in workspace.stack.experiments if name not in missing]
    if not complete or (asked is not None and missing):
        total = len(required)
        incomplete = ", ".join(dict.fromkeys(missing))
        reason = first_flaw(workspace, tracker, required) or f"not complete: {incomplete}"
        raise UsageError(
            f"{tracker} has {total - len(missing)} of {total} results in {workspace.folder}; "
            f"{reason}; {way_to_complete(workspace, tracker)} first"
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
        runs = [run for name in names for run in workspace.runs_of(name) if run.required]
        flaws = (first_flaw(workspace, tracker, runs) for tracker in trackers)
        flaw = next(filter(None, flaws), None)
        reason = f" ({flaw})" if flaw else ""
        reporter.stage(f"Left out: {', '.join(names)}, not complete for {whose}{reason}")


def evaluated_trackers(workspace: Workspace, names: Sequence[str]) -> list[str]:
    """The trackers named, or else all that have a folder of results.

    Raises:
        UsageError: a name is not registered and has no results, or nothing has.
    """
    for name in names:
        # What has results can be scored without a section of trackers.ini.
        if not workspace.results(name).is_dir():
            check_tracker(name, workspace.own)
    folders = list_folders(workspace.folder / "results")
    found = list(dict.fromkeys(names)) or [folder.name for folder in folders]
    if not found:
        raise UsageError(
            f"{workspace.folder} has no results yet: "
            f"run `arvot evaluate --workspace {quoted_folder(workspace)}` first"
        )
    return found


def complete_trackers(
    workspace: Workspace, names: Sequence[str], asked: str | None, reporter: Reporter
) -> list[str]:
    """The trackers named, or else all that have complete results; others are told of.

    Args:
        workspace: the workspace.
        names: as the user gave them.
        asked: the experiments that were asked for by name.
        reporter: is told what is left out.

    Raises:
        UsageError: as `evaluated_trackers`; or none has complete results.
    """
    found = evaluated_trackers(workspace, names)
    if names:
        return found
    refusals = {}
    for tracker in found:
        try:
            complete_part(workspace, tracker, asked)
        except UsageError as error:
            refusals[tracker] = error
    if len(refusals) == len(found):
        raise refusals[found[0]]
    for refusal in refusals.values():
        reporter.stage(f"Left out: {refusal}")
    return [tracker for tracker in found if tracker not in refusals]


def summarize(workspace: Workspace, tracker: str) -> RunSummary:
    """Collect scores, speed and circumstances of a tracker that was analyzed."""
    results = workspace.results(tracker)
    scores = read_scores(workspace.analysis(tracker))
    counts = {
        name: tally_runs(workspace.runs_of(name), results) for name in workspace.stack.experiments
    }
    baseline = counts.get("baseline")
    record = workspace.record_of(tracker)
    return RunSummary(
        toolkit=toolkit_version(),
        tracker=tracker,
        weights=record.weights if record else None,
        sha256=record.sha256 if record else None,
        random=record is not None and record.random,
        tuned=tuned_notes(
            record.overrides if record else {},
            [sequence.name for sequence in workspace.dataset.sequences],
        ),
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
        device=record.device if record else None,
        report=workspace.report([tracker]).with_name("arvot.html"),
        analysis=workspace.analysis(tracker),
        unscored=workspace.stack.unscored(),
        foreign=workspace.has_foreign_results(tracker),
    )
