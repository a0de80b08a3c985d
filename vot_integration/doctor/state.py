"""The workspace: is it whole, and how much of it is done?"""

import os
from collections.abc import Iterator
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.doctor.findings import Finding, Severity
from vot_integration.manifest import MANIFEST
from vot_integration.results import expected_runs
from vot_integration.workspace import Workspace, load_workspace


def check_workspace(folder: Path) -> Iterator[Finding]:
    """Settings, sequences and results of a workspace, which need not be there."""
    if not (folder / MANIFEST).is_file():
        text = f"there is none in {folder} yet"
        yield Finding(Severity.GOOD, "workspace", f"{text}: `arvot init` or `arvot run` makes it")
        return
    try:
        workspace = load_workspace(folder)
    except UsageError as error:
        yield Finding(Severity.ERROR, "workspace", str(error))
        return
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
    runs = [
        run
        for run in expected_runs(workspace.stack.experiments, workspace.dataset.sequences)
        if run.required
    ]
    for results in sorted(path for path in (workspace.folder / "results").glob("*/")):
        whole = sum(run.is_whole(results) for run in runs)
        cut = sum(run.exists(results) and not run.is_whole(results) for run in runs)
        text = f"{results.name}: {whole} of {len(runs)} runs are done"
        if cut:
            remedy = f"`arvot evaluate {results.name}` makes them again"
            yield Finding(Severity.WARNING, "results", f"{text}, {cut} were cut off", remedy)
        else:
            yield Finding(Severity.GOOD, "results", text)
