"""Sequences of a data set as a tracker runs through them."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alpharefine.data.box_layouts import absolute
from alpharefine.data.box_targets import BoxTarget
from alpharefine.data.images import FrameError, FrameFiles, list_images
from alpharefine.errors import UsageError
from alpharefine.onepass.truth import find_targets, read_truth_boxes
from alpharefine.types import Box


@dataclass(frozen=True)
class OnePassSequence:
    """A sequence to run through once.

    Attributes:
        name: of the sequence.
        frames: files of its frames, from that of the first box on.
        count: number of frames.
        rows: number of rows of its result file, one a box of the truth.
        box: target in the first frame; its x and y count pixels from 0.
        first_pixel: number of the leftmost pixel in the truth and in result files.
    """

    name: str
    frames: FrameFiles
    count: int
    rows: int
    box: Box
    first_pixel: int


@dataclass(frozen=True)
class OnePassSet:
    """A data set to run on.

    Attributes:
        root: its folder.
        layout: name of its layout.
        sequences: sorted by name.
        notes: flaws of the data, in words.
        has_truth: whether a sequence has more than its first box, so that results can be scored.
    """

    root: Path
    layout: str
    sequences: tuple[OnePassSequence, ...]
    notes: tuple[str, ...] = field(default=())
    has_truth: bool = True


def read_set(root: Path, layout: str, part: str | None = None) -> OnePassSet:
    """Look at the sequences of a data set, their frames included.

    Args:
        root: the data set or a part of it.
        layout: a key of `alpharefine.data.box_layouts.BOX_LAYOUTS`.
        part: of the data set; see `alpharefine.onepass.truth.find_targets`.

    Raises:
        UsageError: there is no sequence, or something is wrong with one that no run can mend.
    """
    sequences, notes, boxes = [], [], []
    # Runs are made in processes with other working folders.
    root = absolute(root)
    for target in find_targets(root, layout, part):
        try:
            sequence, count, note = _read(target)
        except FrameError as error:
            raise UsageError(error) from error
        sequences.append(sequence)
        boxes.append(count)
        notes += [note] if note else []
    has_truth = any(count > 1 for count in boxes)
    return OnePassSet(root, layout, tuple(sequences), tuple(notes), has_truth)


def _read(target: BoxTarget) -> tuple[OnePassSequence, int, str | None]:
    """A sequence, the number of its boxes, and what is flawed in it."""
    layout = target.layout
    boxes = read_truth_boxes(target)
    if layout.frame is None:
        files = target.list_frames()
        frames, there = FrameFiles(files[0].parent, tuple(f.name for f in files)), len(files)
    else:
        frames = FrameFiles(target.images, layout.frame, layout.first)
        there = len(list_images(target.images)) if target.images.is_dir() else 0
        if not there:
            raise FrameError(f"{target.images}: holds no frames")
    # Sets whose truth is kept by a server have the first box alone.
    rows = there if len(boxes) == 1 else len(boxes)
    count, note = min(rows, there), None
    if rows > there:
        note = f"{target.name}: {rows} boxes for {there} frames; the last answer is repeated"
    elif rows < there and not layout.has_rest:
        note = f"{target.name}: {there} frames, but {rows} boxes; the run ends with the last box"
    x, y, w, h = (float(value) for value in boxes[0])
    if not (np.isfinite(boxes[0]).all() and w > 0 and h > 0):
        raise FrameError(f"{target.boxes}: no target in the first row, where a run begins")
    box = Box(x - layout.first_pixel, y - layout.first_pixel, w, h)
    return (
        OnePassSequence(target.name, frames, count, rows, box, layout.first_pixel),
        len(boxes),
        note,
    )
