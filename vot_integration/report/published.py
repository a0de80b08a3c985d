"""Published results to compare with, from a data file in which every row names its document."""

import tomllib
from dataclasses import dataclass
from importlib import resources

from vot_integration.workspaces.stacks import load_stack
from vot_integration.workspaces.workspace import Workspace


@dataclass(frozen=True)
class Published:
    """One published row.

    Attributes:
        tracker: as published.
        stack: the toolkit's name of the stack.
        experiment: name of the experiment.
        eao: expected average overlap.
        accuracy: 0..1.
        robustness: 0..1.
        source: the document.
    """

    tracker: str
    stack: str
    experiment: str
    source: str
    eao: float
    accuracy: float
    robustness: float


def published_rows(workspace: Workspace) -> list[Published]:
    """Rows for a workspace's experiments; none unless stack, interval and data are official."""
    stack = workspace.stack
    if stack.from_file or not workspace.dataset.is_official():
        return []
    if load_stack(stack.name).find_interval() != workspace.interval:
        return []
    file = resources.files("vot_integration") / "resources" / "published.toml"
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["row"]
    found = [Published(**row) for row in rows]
    return [row for row in found if row.stack == stack.name and row.experiment in stack.experiments]
