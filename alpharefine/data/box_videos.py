"""Video data sets with a box a frame: LaSOT, GOT-10k and TrackingNet differ in a table's line."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import (
    FrameError,
    FrameFiles,
    SkipCounter,
    is_data,
    layout_error,
)
from alpharefine.data.regions import read_boxes, read_numbers
from alpharefine.data.source import BoxTrack, FrameSequence, SequenceSource


@dataclass(frozen=True)
class BoxVideoLayout:
    """Where a data set keeps its frames and annotations.

    Attributes:
        name: of the data set.
        expected: one sequence in words, for the message about a wrong layout.
        sequences: glob of the sequences' folders, below the root.
        frame: `str.format` pattern of a frame's file, relative to the sequence's folder.
        first: number of the first frame.
        boxes: file of boxes (x, y, w, h), likewise relative; {name} is the sequence's.
        hidden: files of a number a frame, likewise relative, above zero where it is hidden.
        shown: the same, zero where it is hidden.
    """

    name: str
    expected: str
    sequences: str
    frame: str
    first: int
    boxes: str
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


LASOT = BoxVideoLayout(
    name="LaSOT",
    expected="<class>/<class>-<n>/{img/00000001.jpg, groundtruth.txt, full_occlusion.txt, "
    "out_of_view.txt}",
    sequences="*/*-*",
    frame="img/{:08d}.jpg",
    first=1,
    boxes="groundtruth.txt",
    hidden=("full_occlusion.txt", "out_of_view.txt"),
)
"""Fan et al., CVPR 2019."""

GOT10K = BoxVideoLayout(
    name="GOT-10k",
    expected="train/GOT-10k_Train_<n>/{00000001.jpg, groundtruth.txt, absence.label, cover.label}",
    sequences="train/*",
    frame="{:08d}.jpg",
    first=1,
    boxes="groundtruth.txt",
    hidden=("absence.label",),
    shown=("cover.label",),
)
"""Huang et al., PAMI 2019."""

TRACKINGNET = BoxVideoLayout(
    name="TrackingNet",
    expected="TRAIN_<n>/{frames/<sequence>/0.jpg, anno/<sequence>.txt}",
    sequences="TRAIN_*/frames/*",
    frame="{}.jpg",
    first=0,
    boxes="../../anno/{name}.txt",
)
"""Mueller et al., ECCV 2018."""


def read_box_videos(root: Path, layout: BoxVideoLayout) -> SequenceSource:
    """Sequences of a data set with boxes.

    Args:
        root: the data set's folder.
        layout: where things are in it.

    Raises:
        UsageError: no sequence in this layout.
    """
    skips = SkipCounter(layout.name)
    sequences: list[FrameSequence] = []
    for folder in sorted(p for p in root.glob(layout.sequences) if is_data(p) and p.is_dir()):
        try:
            sequences.append(_read_sequence(folder, layout))
        except FrameError as error:
            skips.add(error)
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, "no usable sequence", layout.name, layout.expected)
    return SequenceSource(layout.name, sequences)


def _read_sequence(folder: Path, layout: BoxVideoLayout) -> FrameSequence:
    boxes = read_boxes(folder / layout.boxes.format(name=folder.name))
    visible = np.ones(len(boxes), dtype=np.bool_)
    for file in layout.hidden:
        visible &= _read_flags(folder / file, len(boxes)) == 0
    for file in layout.shown:
        visible &= _read_flags(folder / file, len(boxes)) > 0
    frames = FrameFiles(folder, layout.frame, layout.first)
    # Looking for the first and the last frame alone: there are millions of them.
    for t in (0, len(boxes) - 1):
        if not frames[t].is_file():
            raise FrameError(f"{frames[t]}: missing, although there are {len(boxes)} boxes")
    return FrameSequence(folder.name, frames, BoxTrack(boxes, visible))


def _read_flags(path: Path, count: int) -> NDArray[np.float32]:
    flags = read_numbers(path).ravel()
    if flags.size != count:
        raise FrameError(f"{path}: {flags.size} flags for {count} boxes")
    return flags
