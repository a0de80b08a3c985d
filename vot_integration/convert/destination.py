"""The folder that sequences are written into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.files import why_not_writable
from vot_integration.sequences.folder import LIST_FILE, read_list, write_list


class Destination:
    """A folder with list.txt, which may hold sequences already.

    Args:
        folder: is there.

    Raises:
        UsageError: its list.txt is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / LIST_FILE
        listed = read_list(folder) if file.is_file() else []
        self._paths = {path.name: path for path in listed}
        lines = file.read_text(encoding="utf-8").splitlines() if listed else []
        self._lines = [line.strip() for line in lines]

    def has(self, name: str) -> bool:
        """Whether a sequence of a name is there.

        Raises:
            UsageError: something of that name is there that list.txt does not name.
        """
        path = self.folder / name
        listed = self._paths.get(name)
        if listed is None and path.exists():
            raise UsageError(
                f"{path} is in the way, which {self.folder / LIST_FILE} does not name: give "
                "another folder to write to, or --name"
            )
        return listed is not None and (listed != path or path.exists())

    def add(self, name: str) -> None:
        """Put a sequence that was written into list.txt, in one step."""
        if name not in self._paths:
            self._paths[name] = self.folder / name
            self._lines.append(name)
            write_list(self.folder, self._lines)


@contextmanager
def open_destination(folder: Path, source: Path) -> Iterator[Destination]:
    """Make a folder to write into; folders that were made are deleted if they stay empty.

    Args:
        folder: of sequences.
        source: what they are made of.

    Raises:
        UsageError: it cannot be written into, or is a part of the source.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder to write to, a new one for instance")
    if folder.resolve() == source.resolve():
        raise UsageError(f"{folder} is the source: name another folder to write to")
    if folder.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{folder} lies in the source {source}: name a folder outside of it")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        reason = why_not_writable(folder)
        if reason is not None:
            raise UsageError(f"{folder} cannot be written to ({reason}): name another folder")
        yield Destination(folder)
    finally:
        _delete_empty(made)


def _delete_empty(folders: list[Path]) -> None:
    """Delete folders, the innermost first, up to one that holds something."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
