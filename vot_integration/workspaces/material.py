"""What a workspace is made of: as the user says, else as it is there, else by default."""

from pathlib import Path

from vot_integration.workspaces.dataset import read_dataset
from vot_integration.workspaces.manifest import find_manifest
from vot_integration.workspaces.stacks import (
    DEFAULT_STACK,
    Interval,
    choose_interval,
    load_stack,
    parse_experiments,
)
from vot_integration.workspaces.workspace import WorkspaceSpec, given_dataset


def plan_workspace(
    folder: Path,
    stack_name: str | None,
    sequences: Path | None,
    interval: Interval | None,
    experiments: str | None = None,
) -> WorkspaceSpec:
    """Settle stack, sequences and EAO interval; nothing is written.

    Args:
        folder: absolute path of the workspace, which need not be there.
        stack_name: name or file; None takes that of the workspace, `DEFAULT_STACK` in a new one.
        sequences: folder with list.txt; None likewise, the built-in ones in a new workspace.
        interval: first and last frame; None likewise, the default of stack and sequences.
        experiments: comma-separated names of those to use now, or "all"; None for all.

    Raises:
        UsageError: one of them is wrong, or the workspace is damaged.
    """
    known = find_manifest(folder)
    kept = known.stack if known is not None and stack_name is None else None
    stack = load_stack(stack_name or DEFAULT_STACK) if kept is None else kept
    names = None if experiments is None else parse_experiments(experiments, stack)
    chosen = stack if names is None else stack.select(names)
    dataset = None
    if sequences is not None:
        dataset = read_dataset(sequences, chosen)
    elif known is not None:
        dataset = given_dataset(folder, known, chosen)
    if interval is not None or kept is None:
        is_official = dataset is not None and dataset.is_official()
        stack = stack.with_interval(choose_interval(interval, stack, is_official))
    return WorkspaceSpec(folder, dataset, stack, experiments=names)
