"""`arvot init`: a workspace before anything is run in it."""

from dataclasses import dataclass
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.dataset import read_dataset
from vot_integration.own_trackers import Section, adopt_trackers
from vot_integration.stacks import Interval, choose_interval, load_stack
from vot_integration.workspace import Workspace, WorkspaceSpec, open_workspace


@dataclass(frozen=True)
class InitOptions:
    """Options of `arvot init`, as the user gave them.

    Attributes:
        folder: where the workspace is to be.
        stack: name or file.
        sequences: folder with list.txt; None for the built-in sequences.
        trackers: .ini files that register trackers of the user's own.
        eao_interval: first and last frame; None for the default of the sequences.
    """

    folder: Path
    stack: str
    sequences: Path | None = None
    trackers: tuple[Path, ...] = ()
    eao_interval: Interval | None = None


def init_workspace(options: InitOptions) -> Workspace:
    """Make a workspace, or add to the one that is there what is missing.

    Raises:
        UsageError: an option is wrong, or the folder holds something else.
    """
    folder = options.folder.expanduser().absolute()
    stack = load_stack(options.stack)
    dataset = None
    if options.sequences is not None:
        dataset = read_dataset(options.sequences, stack)
    is_official = dataset is not None and dataset.is_official()
    interval = choose_interval(options.eao_interval, stack, is_official)
    own: dict[str, Section] = {}
    for file in options.trackers:
        adopted = adopt_trackers(file, folder)
        twice = sorted(own.keys() & adopted.keys())
        if twice:
            raise UsageError(f"{file} registers {twice[0]}, which another of the files does too")
        own.update(adopted)
    return open_workspace(WorkspaceSpec(folder, dataset, stack.with_interval(interval), own=own))
