"""Video data sets with a box a frame, for training."""

from pathlib import Path

import numpy as np

from alpharefine.data.box_layouts import BoxLayout
from alpharefine.data.box_targets import BoxTarget, find_folders, read_flags, read_rows, targets_in
from alpharefine.data.images import FrameError, FrameFiles, SkipCounter, layout_error
from alpharefine.data.source import BoxTrack, FrameSequence, SequenceSource


def read_box_videos(root: Path, layout: BoxLayout) -> SequenceSource:
    """Targets of a data set with boxes.

    Args:
        root: the data set's folder.
        layout: where things are in it.

    Raises:
        UsageError: no sequence in this layout.
    """
    skips = SkipCounter(layout.name)
    sequences: list[FrameSequence] = []
    for folder in find_folders(root, layout):
        targets = targets_in(folder, layout)
        if not targets:
            skips.add(f"{folder}: no file of boxes")
        for target in targets:
            try:
                sequences.append(_read_sequence(target))
            except FrameError as error:
                skips.add(error)
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, "no usable sequence", layout.name, layout.expected)
    return SequenceSource(layout.name, sequences)


def _read_sequence(target: BoxTarget) -> FrameSequence:
    layout = target.layout
    files = target.list_frames() if layout.frame is None else []
    boxes = read_rows(target, len(files) or None).boxes
    visible = np.ones(len(boxes), dtype=np.bool_)
    for file in layout.hidden:
        visible &= read_flags(target.folder / file, len(boxes)) == 0
    for file in layout.shown:
        visible &= read_flags(target.folder / file, len(boxes)) > 0
    if layout.frame is None:
        count = _paired(target, len(boxes), len(files))
        names = tuple(file.name for file in files[:count])
        boxes, visible = boxes[:count], visible[:count]
        return FrameSequence(
            target.name, FrameFiles(target.images, names), BoxTrack(boxes, visible)
        )
    frames = FrameFiles(target.folder / layout.images[0], layout.frame, layout.first)
    # Looking for the first and the last frame alone: there are millions of them.
    for t in (0, len(boxes) - 1):
        if not frames[t].is_file():
            raise FrameError(f"{frames[t]}: missing, although there are {len(boxes)} boxes")
    return FrameSequence(target.name, frames, BoxTrack(boxes, visible))


def _paired(target: BoxTarget, boxes: int, frames: int) -> int:
    """Number of frames that have a box."""
    layout = target.layout
    if boxes > frames + layout.slack or (boxes < frames - layout.slack and not layout.has_rest):
        raise FrameError(f"{target.boxes} has {boxes} boxes for {frames} frames")
    return min(boxes, frames)
