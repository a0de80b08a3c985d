"""Results that came back from a machine: checked, then put in their place."""

import shutil
import tempfile
from pathlib import Path

from vot_integration.cluster.parcel import Answer
from vot_integration.evaluation.results import expected_runs
from vot_integration.files import write_bytes
from vot_integration.workspaces.trackers_ini import log_folder
from vot_integration.workspaces.workspace import Workspace


def store_answer(workspace: Workspace, tracker: str, answer: Answer) -> int:
    """Put the results of an answer into a workspace; runs that are not whole are left out.

    Args:
        workspace: the part of the workspace that the answer is about.
        tracker: registered name.
        answer: from a machine.

    Returns:
        How many runs were stored.
    """
    stored = 0
    results = workspace.results(tracker)
    with tempfile.TemporaryDirectory(prefix=".arvot-", dir=workspace.folder) as name:
        draft = Path(name)
        for path, content in answer.results.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(content)
        for run in expected_runs(workspace.stack.experiments, workspace.dataset.sequences):
            if run.is_whole(draft) and not run.is_whole(results):
                _move(run.folder(draft), run.folder(results), run.name)
                stored += 1
    logs = log_folder(workspace.folder)
    logs.mkdir(parents=True, exist_ok=True)
    for file, content in answer.logs.items():
        write_bytes(logs / f"{answer.node}-{file}", content)
    return stored


def _move(source: Path, target: Path, run: str) -> None:
    """Move a run's files, the regions last: the toolkit takes a run that has them for finished."""
    target.mkdir(parents=True, exist_ok=True)
    regions = [source / f"{run}{suffix}" for suffix in (".bin", ".txt")]
    properties = [path for path in source.glob(f"{run}_*") if path not in regions]
    for file in [*properties, *(path for path in regions if path.is_file())]:
        shutil.move(file, target / file.name)
