"""Workspaces that the toolkit's own `vot initialize` made, and what they are made of."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from alpharefine.errors import UsageError
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE

CONFIG_FILE = "config.yaml"


@dataclass(frozen=True)
class OfficialWorkspace:
    """What its config.yaml says.

    Attributes:
        stack: a name of the toolkit, or a stack file.
        registries: files of trackers, .ini; not all need be there.
        unread: files of trackers in another format.
        sequences: folder with list.txt; need not be there.
    """

    stack: str
    registries: tuple[Path, ...]
    unread: tuple[Path, ...]
    sequences: Path


def read_official(folder: Path) -> OfficialWorkspace | None:
    """The toolkit's workspace in a folder; None where there is none.

    Raises:
        UsageError: its config.yaml cannot be read, or names no stack.
    """
    file = folder / CONFIG_FILE
    if not file.is_file():
        return None
    try:
        config = yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
        stack, listed = config["stack"], config.get("registry", [])
        if not isinstance(stack, str) or not isinstance(listed, list):
            raise ValueError("stack is no name, or registry is no list")
        sequences = folder / str(config.get("sequences", "sequences"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(
            f"{file} is not that of a workspace of the toolkit ({reason}): correct it, or name "
            "another folder"
        ) from error
    files = [file for entry in listed for file in _registry_files(folder / str(entry))]
    inis = tuple(dict.fromkeys(file for file in files if file.suffix == ".ini"))
    unread = tuple(file for file in files if file.suffix != ".ini" and file.is_file())
    return OfficialWorkspace(_stack(folder, stack), inis, unread, sequences)


def _stack(folder: Path, stack: str) -> str:
    """The toolkit looks for a file in the workspace before it takes a name for one of its own."""
    file = folder / stack
    return str(file) if file.is_file() else stack


def _registry_files(path: Path) -> list[Path]:
    return [path / "trackers.yaml", path / TRACKERS_FILE] if path.is_dir() else [path]
