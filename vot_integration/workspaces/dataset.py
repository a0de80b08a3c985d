"""The sequences of a workspace: the built-in ones, or a folder of the user's."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.files import absolute
from vot_integration.sequences.builtin import RENDERING, write_builtin_sequences
from vot_integration.sequences.checks import check_starts, late_objects
from vot_integration.sequences.folder import (
    LIST_FILE,
    SequenceFolder,
    object_files,
    read_list,
    read_sequence_folder,
    write_list,
)
from vot_integration.toolkit.interface import toolkit, toolkit_version
from vot_integration.toolkit.stacks import Stack

_BUILTIN = "built-in, version "


@dataclass(frozen=True)
class SequenceEntry:
    """What a run needs to know of a sequence, without its labels.

    Attributes:
        path: its folder, absolute.
        properties: the lines of its `sequence` file.
        length: number of frames.
        anchors: a number a frame, > 0 a run goes forward from here, < 0 backward; may be empty.
        objects: names of its targets; an empty one for that of groundtruth.txt.
    """

    path: Path
    properties: Mapping[str, str]
    length: int
    anchors: tuple[float, ...]
    objects: tuple[str, ...] = ("",)

    @property
    def name(self) -> str:
        """The toolkit's name of the sequence, which is its folder's."""
        return self.path.name


@dataclass(frozen=True)
class Dataset:
    """Sequences in VOT format.

    Attributes:
        source: "built-in, version N", or the absolute path of the folder they were listed in.
        sequences: in the order of list.txt.
    """

    source: str
    sequences: tuple[SequenceEntry, ...]

    def is_official(self) -> bool:
        """Whether the toolkit downloaded these sequences: it notes a `uid` in each."""
        return all("uid" in sequence.properties for sequence in self.sequences)

    def fingerprint(self) -> str:
        """Hash of names, properties, ground truth and anchors: of everything but the images."""
        digest = hashlib.sha256()
        for sequence in self.sequences:
            digest.update(f"{sequence.name}\n".encode())
            truth = sequence.properties.get("groundtruth", "groundtruth.txt")
            objects = object_files(sequence.path).values()
            names = ("sequence", truth, "anchor.value")
            for file in [*(sequence.path / name for name in names), *objects]:
                digest.update(file.read_bytes() if file.is_file() else b"")
        return digest.hexdigest()

    def in_order_of(self, names: Sequence[str]) -> "Dataset":
        """The same sequences in the order of their names; as it is where the names differ."""
        places = {name: place for place, name in enumerate(names)}
        if len(places) != len(self.sequences) or any(s.name not in places for s in self.sequences):
            return self
        ordered = sorted(self.sequences, key=lambda sequence: places[sequence.name])
        return replace(self, sequences=tuple(ordered))

    def moved(self, old: Path, new: Path) -> "Dataset":
        """The same sequences after folder `old`, in which they may lie, was renamed to `new`."""
        sequences = tuple(
            replace(sequence, path=new / sequence.path.relative_to(old))
            if sequence.path.is_relative_to(old)
            else sequence
            for sequence in self.sequences
        )
        return replace(self, sequences=sequences)


def read_dataset(folder: Path, stack: Stack, *, source: str | None = None) -> Dataset:
    """Read and check the sequences that `folder`/list.txt names.

    Args:
        folder: holds list.txt.
        stack: the experiments that will start the tracker in these sequences.
        source: `Dataset.source`; None takes the absolute path of the folder.

    Raises:
        UsageError: something is missing, cannot be read, or no run can start.
    """
    folder = absolute(folder)
    sequences = tuple(_read_entry(path, stack) for path in read_list(folder))
    return Dataset(source or str(folder), sequences)


def read_builtin(folder: Path, stack: Stack) -> Dataset:
    """Read the built-in sequences of a workspace; see `read_dataset`."""
    return read_dataset(folder, stack, source=f"{_BUILTIN}{RENDERING}")


def read_given(folder: Path, source: str, stack: Stack) -> Dataset | None:
    """The sequences that a workspace was made for; None for the built-in ones.

    Args:
        folder: of the workspace's own list of sequences.
        source: `Dataset.source` when it was made.
        stack: see `read_dataset`.

    Raises:
        UsageError: they cannot be read any more.
    """
    if source.startswith(_BUILTIN):
        return None
    return read_kept(folder, source, stack)


def read_kept(folder: Path, source: str, stack: Stack) -> Dataset:
    """The sequences of a workspace's own list; see `read_given`."""
    gone = [path for path in read_list(folder) if not path.is_dir()]
    if gone and not gone[0].is_relative_to(folder):
        workspace = shlex.quote(str(folder.parent))
        raise UsageError(
            f"{folder / LIST_FILE} names {gone[0]}, which is not there any more: if the sequences "
            f"are in another folder NEW now, run `arvot init {workspace} --sequences NEW`"
        )
    return read_dataset(folder, stack, source=source)


def write_dataset(folder: Path, dataset: Dataset | None, stack: Stack) -> Dataset:
    """Make the folder of a workspace's sequences.

    Args:
        folder: to make.
        dataset: what it lists; None renders the built-in sequences into it.
        stack: see `read_dataset`.
    """
    folder.mkdir()
    if dataset is None:
        write_builtin_sequences(folder)
        return read_builtin(folder, stack)
    # Absolute paths: the user's images are not copied.
    write_list(folder, (str(sequence.path) for sequence in dataset.sequences))
    return dataset


def _read_entry(path: Path, stack: Stack) -> SequenceEntry:
    sequence = read_sequence_folder(path, several=stack.has_several_objects())
    if len(sequence.objects) > 1 and not stack.takes_late_objects():
        _refuse_late_objects(sequence, stack)
    if stack.starts_at_anchors():
        check_starts(sequence, anchors=True)
    if stack.starts_at_first_frame():
        check_starts(sequence, anchors=False)
    objects = tuple(sequence.objects)
    return SequenceEntry(path, sequence.properties, sequence.length, sequence.anchors, objects)


def _refuse_late_objects(sequence: SequenceFolder, stack: Stack) -> None:
    """Refuse what the toolkit would score as a failure of the tracker, without a word."""
    for name, start in late_objects(sequence).items():
        version = f"vot-toolkit {toolkit_version()}"
        where = version if not toolkit().takes_late_objects else "a real-time experiment"
        remedy = "install vot-toolkit 0.9" if where == version else "leave out that experiment"
        raise UsageError(
            f"{sequence.truth_file(name)}: the object appears in frame {start + 1}, of which "
            f"{where} tells no tracker (stack {stack.name}): {remedy}, or take the file out of the "
            "folder"
        )
