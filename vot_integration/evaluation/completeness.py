"""What keeps a tracker's results from being complete, and what to do about it, in words."""

import shlex
from collections.abc import Iterable

from vot_integration.toolkit.results import Run
from vot_integration.workspaces.own_trackers import referred_name
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, registrations
from vot_integration.workspaces.workspace import Workspace


def first_flaw(workspace: Workspace, tracker: str, runs: Iterable[Run]) -> str | None:
    """The first file of results that is there and not whole, and why; None where all are.

    Args:
        workspace: where the results are.
        tracker: name of their folder.
        runs: to look at; those without a file do not count.
    """
    results, foreign = workspace.results(tracker), workspace.has_foreign_results(tracker)
    flaws = (run.flaw(results, foreign=foreign) for run in runs if run.exists(results))
    return next(filter(None, flaws), None)


def unfit_name(workspace: Workspace, tracker: str) -> str | None:
    """Why the toolkit can read no results of this name, and what to do; None where it can."""
    if referred_name(tracker) is not None:
        return None
    return (
        f"{workspace.results(tracker)}: the toolkit takes names of a-z, A-Z, 0-9, _ and -: "
        "rename this folder"
    )


def way_to_complete(workspace: Workspace, tracker: str) -> str:
    """What makes the results that a tracker lacks; one without a section cannot be run."""
    run = f"`arvot evaluate {tracker} --workspace {quoted_folder(workspace)}`"
    if tracker in {*registrations(), *workspace.own}:
        return f"run {run}"
    file = workspace.folder / TRACKERS_FILE
    return f"copy what is missing, or register {tracker} in {file} and run {run}"


def quoted_folder(workspace: Workspace) -> str:
    """The workspace's folder as a word of a shell's command line."""
    return shlex.quote(str(workspace.folder))
