"""What lies in a file of torch.save of any layout, without running any of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from alpharefine.errors import UsageError
from alpharefine.weights.official_files import find_checkpoint
from alpharefine.weights.pickle_stream import StreamError, shown
from alpharefine.weights.torch_files import open_torch_file
from alpharefine.weights.torch_objects import View

_DEPTH = 4
"""Mappings in mappings that are looked into: authors keep networks of parts in two or three."""

_SHOWN = 3


@dataclass(frozen=True)
class TensorGroup:
    """Tensors that lie in one mapping.

    Attributes:
        place: keys that lead to it, with dots between; empty for the file's own mapping.
        tensors: shape of each by its name, as the file has them.
    """

    place: str
    tensors: Mapping[str, tuple[int, ...]]

    @property
    def numbers(self) -> int:
        """How many numbers all of them hold."""
        return sum(map(prod, self.tensors.values()))

    def __str__(self) -> str:
        names = [f"{shown(name)} {list(size)}" for name, size in self.tensors.items()]
        first = ", ".join([*names[:_SHOWN], *(["..."] if len(names) > _SHOWN else [])])
        place = shown(self.place) if self.place else "the file's own mapping"
        return f"{place}: {len(names)} entries, {self.numbers} numbers: {first}"


@dataclass(frozen=True)
class FileContents:
    """What a file holds.

    Attributes:
        path: the file.
        groups: its tensors.
        facts: texts and numbers beside them, by their keys.
    """

    path: Path
    groups: tuple[TensorGroup, ...]
    facts: Mapping[str, str]


def list_contents(source: Path) -> FileContents:
    """Tensors of a file, wherever they lie in it; their numbers are not read.

    Args:
        source: as of `alpharefine.weights.official_files.read_checkpoint`.

    Raises:
        UsageError: there is no such file, it cannot be read, or it holds no tensor by a name.
    """
    path = find_checkpoint(source)
    try:
        with open_torch_file(path) as file:
            root = file.root
    except StreamError as error:
        raise UsageError(f"{path} {error}") from error
    if not isinstance(root, dict):
        raise UsageError(f"{path} holds no mapping of names to tensors, but a {_kind(root)}")
    groups = tuple(_groups(root, ""))
    if not groups:
        keys = ", ".join(shown(key) for key in root) or "nothing"
        raise UsageError(f"{path} holds no tensor by a name, only: {keys[:200]}")
    facts = {key: shown(value) for key, value in root.items() if _is_fact(value)}
    return FileContents(path, groups, facts)


def _groups(
    mapping: Mapping[str, object], place: str, depth: int = _DEPTH
) -> Iterator[TensorGroup]:
    tensors = {name: value.size for name, value in mapping.items() if isinstance(value, View)}
    if tensors:
        yield TensorGroup(place, tensors)
    for name, value in mapping.items():
        if isinstance(value, dict) and depth > 1:
            yield from _groups(value, f"{place}.{name}" if place else name, depth - 1)


def _is_fact(value: object) -> bool:
    return isinstance(value, str | int | float) and str(value) != ""


def _kind(value: object) -> str:
    return "tensor" if isinstance(value, View) else type(value).__name__.lower()
