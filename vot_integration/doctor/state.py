"""The workspace: is it whole, and how much of it is done?"""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from alpharefine.data.images import list_folders
from vot_integration.doctor.findings import Finding, Severity
from vot_integration.evaluation.completeness import first_flaw, unfit_name, way_to_complete
from vot_integration.evaluation.planning import PlannedRuns
from vot_integration.workspaces.manifest import MANIFEST
from vot_integration.workspaces.official import CONFIG_FILE
from vot_integration.workspaces.workspace import Workspace, load_workspace


def check_workspace(folder: Path, *, is_named: bool = False) -> Iterator[Finding]:
    """Settings, sequences and results of a workspace.

    Args:
        folder: absolute path.
        is_named: whether the user has named it; otherwise it need not be there.

    Raises:
        UsageError: it is damaged.
    """
    if not (folder / MANIFEST).is_file():
        text = f"there is none in {folder}"
        if is_named:
            remedy = "check the path; `arvot init DIR` makes a workspace"
            if (folder / CONFIG_FILE).is_file():
                text = f"{folder} is one of the toolkit's own"
                remedy = f"`arvot init {shlex.quote(str(folder))}` makes it one of arvot, too"
            yield Finding(Severity.WARNING, "workspace", text, remedy)
        else:
            how = "`arvot init` or `arvot run` makes it"
            yield Finding(Severity.GOOD, "workspace", f"{text} yet: {how}")
        return
    workspace = load_workspace(folder)
    sequences = len(workspace.dataset.sequences)
    yield Finding(
        Severity.GOOD,
        "workspace",
        f"{folder}: {workspace.stack.title}, {sequences} sequences ({workspace.dataset.source})",
    )
    if not os.access(folder / "results", os.W_OK):
        remedy = "change its permissions, or use another workspace"
        text = f"{folder / 'results'} cannot be written"
        yield Finding(Severity.ERROR, "workspace", text, remedy)
    yield from _results(workspace)


def _results(workspace: Workspace) -> Iterator[Finding]:
    experiments = workspace.stack.experiments
    for results in list_folders(workspace.folder / "results"):
        # As `arvot evaluate` counts them: without repetitions that the toolkit will leave out.
        planned = PlannedRuns(workspace.runs, results)
        runs = [run for experiment in experiments for run in planned.of(experiment)]
        foreign = workspace.has_foreign_results(results.name)
        there = [run for run in runs if run.exists(results)]
        whole = sum(run.is_whole(results, foreign=foreign) for run in there)
        cut = len(there) - whole
        text = f"{results.name}: {whole} of {len(runs)} runs are done"
        if whole and workspace.record_of(results.name) is None:
            text = f"{text} (made with: unknown, not by arvot)"
        remedy = unfit_name(workspace, results.name) or ""
        if cut:
            why = first_flaw(workspace, results.name, there)
            text = f"{text}, {cut} {'was' if cut == 1 else 'were'} cut off: {why}"
            remedy = remedy or way_to_complete(workspace, results.name)
        severity = Severity.WARNING if remedy else Severity.GOOD
        yield Finding(severity, "results", text, remedy)
