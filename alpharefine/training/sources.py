"""Which data sets are drawn how often, and what of them is held out for validation."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.readers import read_source
from alpharefine.data.source import VideoSource
from alpharefine.data.text import NAME_COMMENTS, read_lines
from alpharefine.errors import UsageError


@dataclass(frozen=True)
class SourceConfig:
    """A data set and how often it is drawn.

    Attributes:
        kind: a key of `alpharefine.data.readers.READERS`.
        path: folder, relative to the data root.
        weight: relative frequency of its samples.
        isolated: its pictures have no background of their own: always cut and paste.
        only: file of sequence names, one a line, relative to the data root; None takes them all.
        max_gap: frames between the first training frame and any other, at most; None: as the
            recipe's clips.
    """

    kind: str
    path: str
    weight: float = 1.0
    isolated: bool = False
    only: str | None = None
    max_gap: int | None = None

    def __post_init__(self) -> None:
        if self.max_gap is not None and self.max_gap < 1:
            raise ValueError("max_gap must be 1 or more")


@dataclass(frozen=True)
class HoldOut:
    """What is kept for validation.

    Attributes:
        one_in: one image in so many of the still sources.
        sequences: video sequences.
    """

    one_in: int = 20
    sequences: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceGroup:
    """Sequences of one source that belong to training or to validation."""

    source: VideoSource
    indices: NDArray[np.int64]
    weight: float
    isolated: bool
    max_gap: int | None = None


def read_groups(
    sources: Sequence[SourceConfig], root: Path, held_out: HoldOut, validation: bool
) -> list[SourceGroup]:
    """The part of each source that belongs to training or to validation.

    Args:
        sources: data sets.
        root: folder that their paths are relative to.
        held_out: what belongs to validation.
        validation: which part to give.

    Raises:
        UsageError: a source is of an unknown kind or cannot be read, or nothing is left.
    """
    groups = [_group(source, root, held_out, validation) for source in sources]
    groups = [group for group in groups if group.indices.size]
    if not groups:
        part = "validation; hold out more" if validation else "training; hold out less"
        raise UsageError(f"no sequence is left for {part}")
    return groups


def _group(source: SourceConfig, root: Path, held_out: HoldOut, validation: bool) -> SourceGroup:
    read = read_source(root / source.path, source.kind)
    names = [read.sequence(i).name for i in range(len(read))]
    held = np.array([_is_held_out(name, source, held_out) for name in names], bool)
    chosen = held == validation
    if source.only is not None:
        listed = _read_names(root / source.only)
        chosen &= np.array([name in listed for name in names], bool)
    return SourceGroup(read, np.flatnonzero(chosen), source.weight, source.isolated, source.max_gap)


def _read_names(path: Path) -> frozenset[str]:
    try:
        return frozenset(line for _, line in read_lines(path, NAME_COMMENTS))
    except FrameError as error:
        raise UsageError(f"{error}; give a file with a name a line") from error


def _is_held_out(name: str, source: SourceConfig, held_out: HoldOut) -> bool:
    if source.kind == "video":
        return name in held_out.sequences
    return not source.isolated and zlib.crc32(name.encode()) % held_out.one_in == 0
