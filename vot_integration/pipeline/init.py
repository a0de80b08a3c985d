"""`arvot init`, and what a workspace is made of: as asked, as it is there, or by default."""

from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.data.images import list_folders
from alpharefine.errors import UsageError
from vot_integration.files import absolute
from vot_integration.sequences.folder import LIST_FILE
from vot_integration.toolkit.scores import eao_remark
from vot_integration.toolkit.stacks import (
    DEFAULT_STACK,
    EaoInterval,
    choose_interval,
    load_stack,
    parse_experiments,
)
from vot_integration.workspaces.dataset import read_dataset, read_given
from vot_integration.workspaces.manifest import find_manifest
from vot_integration.workspaces.official import CONFIG_FILE, OfficialWorkspace, read_official
from vot_integration.workspaces.own_trackers import Section, adopt_trackers, adoption_notes
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE
from vot_integration.workspaces.workspace import (
    TRACKERS_BEFORE,
    Workspace,
    WorkspaceSpec,
    open_workspace,
)


@dataclass(frozen=True)
class InitOptions:
    """Options of `arvot init`, as the user gave them.

    Attributes:
        folder: where the workspace is to be.
        stack: name or file; None for that of the workspace, or the default one where it is new.
        sequences: folder with list.txt; None for those of the workspace, or the built-in ones.
        trackers: .ini files that register trackers of the user's own.
        eao_interval: first and last frame; None for that of the workspace, or the default one.
    """

    folder: Path
    stack: str | None = None
    sequences: Path | None = None
    trackers: tuple[Path, ...] = ()
    eao_interval: EaoInterval | None = None


@dataclass(frozen=True)
class InitResult:
    """What `arvot init` has made.

    Attributes:
        workspace: the workspace.
        notes: what the user should know of it, a line each.
    """

    workspace: Workspace
    notes: tuple[str, ...]


def init_workspace(options: InitOptions) -> InitResult:
    """Make a workspace, or add to the one that is there what is missing.

    Raises:
        UsageError: an option is wrong, or the folder holds something else.
    """
    folder = absolute(options.folder)
    spec = plan_workspace(folder, options.stack, options.sequences, options.eao_interval)
    before = find_manifest(folder)
    official = read_official(folder) if before is None else None
    own: dict[str, Section] = {}
    notes = []
    for file in [*_registries(official), *options.trackers]:
        adopted = adopt_trackers(file, folder)
        twice = sorted(own.keys() & adopted.keys())
        if twice:
            raise UsageError(f"{file} registers {twice[0]}, which another of the files does too")
        own.update(adopted)
        notes += adoption_notes(file, adopted)
    workspace = open_workspace(replace(spec, own=own, adopt=True))
    remark = _remark_on_interval(workspace)
    notes += [remark] if remark is not None else []
    if official is not None:
        notes += _adoption_notes(workspace, official)
    notes += [
        f"{name} is left out: its redetection fails in this version of the toolkit"
        for name in spec.stack.failing()
    ]
    if before is None and workspace.stack.unscored():
        names = ", ".join(workspace.stack.unscored())
        notes.append(
            f"stack {workspace.stack.name} has no measures for {names}: results can be made and "
            "packed, not scored"
        )
    if before is not None and before.source != workspace.dataset.source:
        notes.append(
            f"the sequences are taken from {workspace.dataset.source} now, no more from "
            f"{before.source}; names and ground truth are the same"
        )
    if before is not None and before.stack.name != workspace.stack.name:
        notes.append(
            f"the stack is {workspace.stack.name} now; it was {before.stack.name}, of which there "
            "are no results that contradict it"
        )
    return InitResult(workspace, tuple(notes))


def _registries(official: OfficialWorkspace | None) -> list[Path]:
    """The toolkit's lists of trackers in its own workspace, those without any left out."""
    files = () if official is None else official.registries
    return [file for file in files if file.is_file() and file.read_bytes().strip()]


def _adoption_notes(workspace: Workspace, official: OfficialWorkspace) -> list[str]:
    kept = f"its {CONFIG_FILE} is as it was"
    if (workspace.folder / TRACKERS_BEFORE).is_file():
        kept = f"{kept}, and its {TRACKERS_FILE} is kept as {TRACKERS_BEFORE}"
    notes = [f"this was a workspace of the toolkit's own and is one of arvot now, too: {kept}"]
    results = [path.name for path in list_folders(workspace.folder / "results")]
    if results:
        notes.append(
            f"there are results of {', '.join(results)}, which arvot has not made: `arvot analyze` "
            "scores them"
        )
    notes += [
        f"{file} is not read: put its trackers into a .ini file, and name that with --trackers"
        for file in official.unread
    ]
    return notes


def _remark_on_interval(workspace: Workspace) -> str | None:
    """What is wrong with the EAO interval for sequences of this length; None where it fits."""
    if workspace.interval is None:
        return None
    longest = max(run.frames for run in workspace.runs)
    low, _ = workspace.interval
    # Nothing has run yet: an EAO of any value where there will be one.
    return eao_remark(None if longest <= low else 1.0, workspace.interval, longest)


def plan_workspace(
    folder: Path,
    stack_name: str | None,
    sequences: Path | None,
    interval: EaoInterval | None,
    experiments: str | None = None,
) -> WorkspaceSpec:
    """Settle stack, sequences and EAO interval; nothing is written.

    Args:
        folder: absolute path of the workspace, which need not be there.
        stack_name: name or file; None takes that of the workspace, `DEFAULT_STACK` in a new one.
        sequences: folder with list.txt; None takes those of the workspace, the built-in ones in a
            new one.
        interval: first and last frame; None takes that of the workspace, the default of stack and
            sequences in a new one.
        experiments: comma-separated names of those to use now, or "all"; None for all.

    Raises:
        UsageError: one of them is wrong, or the workspace is damaged.
    """
    known = find_manifest(folder)
    official = read_official(folder) if known is None else None
    if official is not None:
        stack_name = stack_name or official.stack
    kept = known.stack if known is not None and stack_name is None else None
    stack = load_stack(stack_name or DEFAULT_STACK) if kept is None else kept
    names = None if experiments is None else parse_experiments(experiments, stack)
    chosen = stack.runnable() if names is None else stack.select(names)
    dataset = None
    if sequences is not None:
        dataset = read_dataset(sequences, chosen)
    elif known is not None:
        dataset = read_given(folder / "sequences", known.source, chosen)
    elif official is not None:
        if not (official.sequences / LIST_FILE).is_file():
            raise UsageError(
                f"{folder} is a workspace of the toolkit without sequences, which `vot initialize` "
                "downloads: name others with --sequences, or another folder for the workspace"
            )
        dataset = read_dataset(official.sequences, chosen)
    if interval is not None or (kept is None and official is None):
        is_official = dataset is not None and dataset.is_official()
        stack = stack.with_interval(choose_interval(interval, stack, is_official))
    return WorkspaceSpec(folder, dataset, stack, experiments=names)
