"""Sequences of a data set as a tracker runs through them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alpharefine.data.box_layouts import absolute
from alpharefine.data.box_targets import BoxTarget
from alpharefine.data.images import FrameError, FrameFiles, list_images
from alpharefine.data.text import read_text
from alpharefine.errors import UsageError
from alpharefine.onepass.findings import Findings
from alpharefine.onepass.measures import Boxes
from alpharefine.onepass.truth import find_targets, read_truth_boxes
from alpharefine.types import Box

BEGINS = "the run begins at the frame of the first box"
FRAMELESS = "more boxes than frames; the last answer is repeated"
BOXLESS = "fewer boxes than frames; the run ends with the last box"
TARGETLESS = "rows that are no target, which scores treat by their convention"
FASTER = "boxes of a higher rate than the frames; those of the frames are taken"
POLYGONS = "polygons; the upright rectangle around each is taken"
SHARED = "several targets in one folder of frames; each is a sequence"
COUNTED = (
    "the set counts pixels from 1: trackers are given boxes that count from 0, and result files "
    "count from 1 again"
)
"""Known flaws of data sets, as they are said where they are met."""

_POLYGON = 8
"""Numbers in the row of a polygon."""


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
        notes: flaws of the data and what is done about them, a line a kind.
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
    # Runs are made in processes with other working folders.
    root = absolute(root)
    flaws = Findings()
    targets = find_targets(root, layout, part)
    try:
        found = [_read(target, flaws) for target in targets]
    except FrameError as error:
        raise UsageError(error) from error
    _note_set(targets, flaws)
    has_truth = any(count > 1 for _, count in found)
    sequences = tuple(sequence for sequence, _ in found)
    return OnePassSet(root, layout, sequences, tuple(flaws.lines()), has_truth)


def _read(target: BoxTarget, flaws: Findings) -> tuple[OnePassSequence, int]:
    """A sequence, and the number of its boxes."""
    layout = target.layout
    boxes = read_truth_boxes(target)
    everything = list_images(target.images) if target.images.is_dir() else []
    if not everything:
        raise FrameError(f"{target.images}: holds no frames")
    if layout.frame is None:
        files = target.list_frames()
        frames, there = FrameFiles(files[0].parent, tuple(f.name for f in files)), len(files)
        if files[0] != everything[0]:
            flaws.add(BEGINS, target.name, f"frame {files[0].stem}")
    else:
        frames = FrameFiles(target.images, layout.frame, layout.first)
        there = len(everything)
    # Sets whose truth is kept by a server have the first box alone.
    rows = there if len(boxes) == 1 else len(boxes)
    if rows != there:
        kind = FRAMELESS if rows > there else BOXLESS
        flaws.add(kind, target.name, f"{rows} boxes for {there} frames")
    _note_boxes(target, boxes, flaws)
    x, y, w, h = (float(value) for value in boxes[0])
    if not (np.isfinite(boxes[0]).all() and w > 0 and h > 0):
        raise FrameError(f"{target.boxes}: no target in the first row, where a run begins")
    box = Box(x - layout.first_pixel, y - layout.first_pixel, w, h)
    sequence = OnePassSequence(target.name, frames, min(rows, there), rows, box, layout.first_pixel)
    return sequence, len(boxes)


def _note_boxes(target: BoxTarget, boxes: Boxes, flaws: Findings) -> None:
    """Note what is odd in a file of boxes, and how it was read."""
    empty = int((~(boxes[:, 2:] > 0).all(axis=1)).sum())
    if empty:
        flaws.add(TARGETLESS, target.name, str(empty))
    lines = [line for line in read_text(target.boxes).splitlines() if line.strip()]
    if target.layout.form == "vatic":
        step = round(len(lines) / len(boxes))
        if step > 1:
            flaws.add(FASTER, target.name, f"{len(lines)} for {len(boxes)} frames")
    elif len(re.split(r"[,;\s]+", lines[0].strip())) == _POLYGON:
        flaws.add(POLYGONS, target.name)


def _note_set(targets: Sequence[BoxTarget], flaws: Findings) -> None:
    for folder, count in Counter(target.folder for target in targets).items():
        if count > 1:
            flaws.add(SHARED, folder.name, f"{count} targets")
    if targets[0].layout.first_pixel:
        flaws.say(COUNTED)
