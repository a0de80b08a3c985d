"""Weights that travel along with a parcel."""

from dataclasses import dataclass
from pathlib import Path

from alpharefine.weights.files import SUFFIX
from alpharefine.weights.registry import WEIGHTS
from alpharefine.weights.store import BUNDLED, find_weights
from vot_integration.workspaces.records import TrackerRecord


@dataclass(frozen=True)
class Weights:
    """One item of what a tracker is told to load.

    Attributes:
        name: of the file; or, without content, the item itself, such as "random:0".
        content: of the file.
    """

    name: str
    content: bytes | None = None

    def place(self, folder: Path) -> str:
        """The item for a machine that keeps sent files in a folder."""
        if self.content is None:
            return self.name
        (folder / self.name).write_bytes(self.content)
        return str(folder / self.name)


def gather_weights(record: TrackerRecord) -> list[Weights]:
    """The weights that a tracker's record names, with the content of all files.

    What is part of the package goes by its name: every machine has the same version of it.
    """
    chosen = record.settings.weights
    if chosen is None:
        items = record.weights.split("+")
    else:
        items = [chosen] if Path(chosen).exists() else chosen.split(",")
    return [weights for item in items for weights in _gather(item)]


def _gather(item: str) -> list[Weights]:
    path = Path(item)
    if item in WEIGHTS:
        found = find_weights(WEIGHTS[item])
        if found is None or found.parent == BUNDLED:
            return [Weights(item)]
        path = found
    if path.is_dir():
        return [Weights(file.name, file.read_bytes()) for file in sorted(path.glob(f"*{SUFFIX}"))]
    return [Weights(path.name, path.read_bytes())] if path.is_file() else [Weights(item)]
