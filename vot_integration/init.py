"""`arvot init`: a workspace before anything is run in it."""

from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.files import absolute
from vot_integration.material import plan_workspace
from vot_integration.own_trackers import Section, adopt_trackers
from vot_integration.stacks import Interval
from vot_integration.workspace import Workspace, open_workspace


@dataclass(frozen=True)
class InitOptions:
    """Options of `arvot init`, as the user gave them.

    Attributes:
        folder: where the workspace is to be.
        stack: name or file; None for that of the workspace, or the default one where it is new.
        sequences: folder with list.txt; None likewise, or the built-in sequences.
        trackers: .ini files that register trackers of the user's own.
        eao_interval: first and last frame; None likewise, or the default of stack and sequences.
    """

    folder: Path
    stack: str | None = None
    sequences: Path | None = None
    trackers: tuple[Path, ...] = ()
    eao_interval: Interval | None = None


def init_workspace(options: InitOptions) -> Workspace:
    """Make a workspace, or add to the one that is there what is missing.

    Raises:
        UsageError: an option is wrong, or the folder holds something else.
    """
    folder = absolute(options.folder)
    spec = plan_workspace(folder, options.stack, options.sequences, options.eao_interval)
    own: dict[str, Section] = {}
    for file in options.trackers:
        adopted = adopt_trackers(file, folder)
        twice = sorted(own.keys() & adopted.keys())
        if twice:
            raise UsageError(f"{file} registers {twice[0]}, which another of the files does too")
        own.update(adopted)
    return open_workspace(replace(spec, own=own))
