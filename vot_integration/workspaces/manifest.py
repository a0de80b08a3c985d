"""`arvot.json`: what a workspace was made for and what its results were made with."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alpharefine.errors import UsageError
from vot_integration.files import write_text
from vot_integration.toolkit.stacks import Stack
from vot_integration.workspaces.official import CONFIG_FILE
from vot_integration.workspaces.records import TrackerRecord
from vot_integration.workspaces.trackers_ini import TrackerSettings

MANIFEST = "arvot.json"


@dataclass(frozen=True)
class Manifest:
    """Content of `arvot.json`.

    Attributes:
        source: where the sequences are from, see `vot_integration.workspaces.dataset.Dataset`.
        fingerprint: hash of the sequences' labels.
        stack: all experiments of the stack, with the EAO interval.
        experiments: what the results of each experiment depend on, by its name.
        trackers: what each tracker's results were made with, by its name in the catalog.
        adopted: whether the workspace was the toolkit's own and its config.yaml still says the
            stack.
    """

    source: str
    fingerprint: str
    stack: Stack
    experiments: Mapping[str, Any]
    trackers: Mapping[str, TrackerRecord]
    adopted: bool = False

    def write(self, folder: Path) -> None:
        """Write it into a workspace."""
        write_text(folder / MANIFEST, json.dumps(asdict(self), indent=2) + "\n")


def find_manifest(folder: Path) -> Manifest | None:
    """The manifest of a workspace; None where a folder is none, or is not there.

    Raises:
        UsageError: its record is damaged.
    """
    return read_manifest(folder) if (folder / MANIFEST).is_file() else None


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a workspace.

    Raises:
        UsageError: the folder is not a workspace of arvot, or its record is damaged.
    """
    file = folder / MANIFEST
    if not file.is_file():
        what = f"there is no workspace {folder}"
        if folder.exists():
            what = f"{folder} is not a workspace of arvot"
        if (folder / CONFIG_FILE).is_file():
            raise UsageError(
                f"{folder} is a workspace of the toolkit's own: "
                f"`arvot init {shlex.quote(str(folder))}` makes it one of arvot, with its results"
            )
        raise UsageError(f"{what}: name yours with --workspace, or make one with `arvot init DIR`")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        trackers = {
            name: TrackerRecord(**{**entry, "settings": TrackerSettings(**entry["settings"])})
            for name, entry in document["trackers"].items()
        }
        return Manifest(**{**document, "stack": Stack(**document["stack"]), "trackers": trackers})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{file} cannot be read ({error}); name another workspace or delete this one"
        ) from error
