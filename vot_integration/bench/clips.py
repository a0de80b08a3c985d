"""What is tracked in a benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.regions.shapes import Shape
from vot_integration.sequences.builtin import BUILTIN_NAMES, write_builtin_sequences
from vot_integration.sequences.folder import SequenceFolder, read_list, read_sequence_folder
from vot_integration.toolkit.regions import region_shape

RUNS = 5
"""Runs, each with an initialization of its own, that the frames are shared out to."""


@dataclass(frozen=True)
class Clip:
    """One run: image files, and the target in the first of them.

    Attributes:
        frames: the first one is for the initialization.
        target: where it is in the first frame.
        fps: frames a second.
    """

    frames: tuple[Path, ...]
    target: Shape
    fps: int


def builtin_clips(folder: Path, frames: int) -> list[Clip]:
    """Runs on the built-in sequences, which are written to a folder.

    Args:
        folder: where.
        frames: tracked frames of all runs together.
    """
    shares = _shares(frames)
    paths = write_builtin_sequences(folder, BUILTIN_NAMES[: len(shares)], max(shares) + 1)
    return _cut([read_sequence_folder(path) for path in paths], shares)


def clips_of(folder: Path, frames: int) -> list[Clip]:
    """Runs on a folder of sequences in VOT format.

    Raises:
        UsageError: the folder is not one, a target is not in the first frame, or a sequence is too
            short.
    """
    shares = _shares(frames)
    sequences = [read_sequence_folder(path) for path in read_list(folder)[: len(shares)]]
    cycled = [sequences[run % len(sequences)] for run in range(len(shares))]
    return _cut(cycled, shares)


def _shares(frames: int) -> list[int]:
    runs = min(RUNS, frames)
    return [(frames + run) // runs for run in range(runs)]


def _cut(sequences: Sequence[SequenceFolder], shares: Sequence[int]) -> list[Clip]:
    return [_clip(sequence, share) for sequence, share in zip(sequences, shares, strict=True)]


def _clip(sequence: SequenceFolder, frames: int) -> Clip:
    if sequence.length <= frames:
        raise UsageError(
            f"{sequence.path} has {sequence.length} frames, {frames + 1} are needed: "
            "ask for fewer --frames"
        )
    target = region_shape(sequence.regions[0])
    if target is None:
        raise UsageError(f"{sequence.path}: there is no target in the first frame")
    return Clip(sequence.frames[: frames + 1], target, sequence.fps)
