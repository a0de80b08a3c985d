"""A folder that shows the toolkit a part of a workspace: some experiments, some sequences.

The toolkit has no filter of sequences, analyses only what is complete, and leaves stray files in
the workspace's root. So every command of it runs in a folder of its own that only holds settings
and links to the workspace.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from alpharefine.data.images import list_folders
from alpharefine.errors import UsageError
from vot_integration.sequences.folder import write_list
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.own_trackers import referred_name
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, registrations
from vot_integration.workspaces.workspace import Workspace

_UNREGISTERED = "unregistered.ini"
_SHARED = ("results", "logs", "analysis", "reports")


@contextmanager
def toolkit_view(workspace: Workspace, *, runs: bool) -> Iterator[Path]:
    """Make such a folder for a workspace's experiments and sequences; it is deleted afterwards.

    Args:
        workspace: with the experiments and sequences to show.
        runs: whether trackers are run: then the stack is the one that the installed version of the
            toolkit can run; else it has its own name where it is one of the toolkit's.
    """
    with tempfile.TemporaryDirectory(prefix="arvot-") as name:
        folder = Path(name)
        for shared in _SHARED:
            (workspace.folder / shared).mkdir(exist_ok=True)
            (folder / shared).symlink_to(workspace.folder / shared)
        (folder / "sequences").mkdir()
        paths = (str(sequence.path) for sequence in workspace.dataset.sequences)
        write_list(folder / "sequences", paths)
        (folder / "stack.yaml").write_text(workspace.stack.dump(), encoding="utf-8")
        (folder / _UNREGISTERED).write_text(_placeholders(workspace), encoding="utf-8")
        config = {
            "registry": [str(workspace.folder / TRACKERS_FILE), _UNREGISTERED],
            "stack": "stack.yaml" if runs else _stack_reference(workspace),
            "sequences": "sequences",
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        yield folder


def _placeholders(workspace: Workspace) -> str:
    """Sections for trackers that have results and no section, without which none are scored."""
    known = {*registrations(), *workspace.own}
    found = (referred_name(path.name) for path in list_folders(workspace.folder / "results"))
    names = sorted({name for name in found if name is not None} - known)
    return "\n".join(f"[{name}]\nprotocol = trax\ncommand = false\n" for name in names)


def _stack_reference(workspace: Workspace) -> str:
    """The toolkit's own name of the stack where nothing of it is changed, for packed results."""
    try:
        unchanged = load_stack(workspace.stack.name) == workspace.stack
    except UsageError:
        unchanged = False
    return workspace.stack.name if unchanged and not workspace.stack.from_file else "stack.yaml"
