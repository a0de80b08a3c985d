"""One tracker's section of a trackers.ini, as the toolkit reads it."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vot_integration.workspaces.trackers_ini import ini_parser, interpreter, unescape

_LOG_ENTRY = "env_arvot_log_dir"
_TOOLKIT_TIMEOUT = "30"
"""Seconds that the toolkit waits for an answer unless a section says otherwise."""


@dataclass(frozen=True)
class Launch:
    """A section of a trackers.ini.

    Attributes:
        registry: the file.
        tracker: name of the section.
        entries: its entries, names in lower case.
        spelled: names that stand otherwise in the file, by those in lower case.
    """

    registry: Path
    tracker: str
    entries: Mapping[str, str]
    spelled: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_python(self) -> bool:
        """Whether the toolkit starts an interpreter with a module or statements."""
        return self.entries.get("protocol") == "traxpython"

    @property
    def python(self) -> list[str]:
        """The interpreter, as arguments of a process; the toolkit's own where none is named."""
        return shlex.split(self.entries.get("python", interpreter()))

    @property
    def paths(self) -> str:
        """Absolute folders of modules, as in PYTHONPATH; may be empty."""
        folders = self.entries.get("paths", "").split(os.pathsep)
        return os.pathsep.join(str(self.registry.parent / folder) for folder in folders if folder)

    @property
    def timeout(self) -> str:
        """Seconds that the toolkit waits for an answer."""
        return self.entries.get("timeout", _TOOLKIT_TIMEOUT)

    @property
    def log_folder(self) -> Path | None:
        """Where servers of this package write their logs; None where the section does not say."""
        folder = self.entries.get(_LOG_ENTRY)
        return None if folder is None else Path(folder)

    @property
    def by_hand(self) -> str:
        """What starts the tracker in a terminal."""
        command = self.entries.get("command", "")
        if not self.is_python:
            return command
        is_module = all(part.isidentifier() for part in command.split("."))
        started = shlex.join([*self.python, "-m" if is_module else "-c", command])
        return f"PYTHONPATH={shlex.quote(self.paths)} {started}" if self.paths else started


def launch_of(registry: Path, tracker: str, section: Mapping[str, str]) -> Launch:
    """A section that was read as it stands in its file."""
    entries = {key.lower(): unescape(value) for key, value in section.items()}
    return Launch(registry, tracker, entries, {key.lower(): key for key in section})


def read_launch(registry: Path, tracker: str) -> Launch:
    """Read a section, which must be there.

    Args:
        registry: a trackers.ini.
        tracker: name of a section in it.
    """
    parser = ini_parser()
    parser.read(registry, encoding="utf-8")
    return launch_of(registry, tracker, parser[tracker])
