"""Annotations with a box, a polygon or a mask in a line for each frame."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from alpharefine.data.box_layouts import BoxLayout, absolute
from alpharefine.data.box_targets import BoxTarget, read_flags, read_rows, targets_in
from alpharefine.data.images import FrameError
from alpharefine.data.regions import RegionRows, read_regions
from alpharefine.data.text import NUMBER_COMMENTS, read_lines
from alpharefine.errors import UsageError
from alpharefine.types import Box
from vot_integration.convert.rate import read_rate
from vot_integration.convert.source import ConvertOptions, OneFrameError, SourceSequence
from vot_integration.toolkit import files as toolkit_files
from vot_integration.toolkit.regions import Region, absent_region, box_region, shape_region

RegionTrack = tuple[int, Callable[[int], Region]]
"""The number of regions, and a function from the index of a frame to its region."""


def read_track(file: Path) -> RegionTrack:
    """Read regions that the user names; those that are empty or not finite are absent targets.

    Args:
        file: x,y,width,height, the corners of a polygon, or a mask of the toolkit's in each line.

    Raises:
        UsageError: the file cannot be read.
    """
    if not file.is_file():
        raise UsageError(f"there is no file of boxes {file}")
    try:
        if any(line.startswith("m") for _, line in read_lines(file, NUMBER_COMMENTS)):
            regions = toolkit_files.read_regions(file)
            return len(regions), regions.__getitem__
        rows = read_regions(file)
    except FrameError as error:
        raise UsageError(f"{error}: write x,y,width,height, one line a frame") from error
    return _track(file, rows, np.ones(len(rows), dtype=np.bool_))


def place_track(
    track: RegionTrack,
    file: Path,
    frames: str,
    count: int,
    start: int | None,
    flaw: str | None = None,
) -> RegionTrack:
    """A track from the first frame on; before its own first frame the target is absent.

    Args:
        track: as it was read.
        file: that it was read from.
        frames: what it belongs to, in words.
        count: how many frames there are.
        start: number of its first frame, from 1; None where it has to have a region for each frame.
        flaw: what is wrong with the frames; None if nothing.

    Raises:
        UsageError: it does not fit the frames.
    """
    found, region = track
    fits = found == count if start is None else start >= 1 and start + found - 1 <= count
    if not fits and flaw is not None:
        raise UsageError(f"{flaw}; {file} has {found} boxes")
    if start is None:
        if not fits:
            raise UsageError(
                f"{file} has {found} boxes for {count} {frames}: write one a line, 0,0,0,0 where "
                "the target is absent, or say with --start N which frame the first belongs to"
            )
        return track
    if not fits:
        raise UsageError(
            f"--start {start}: {found} boxes from frame {start} on do not fit the {count} {frames}"
        )
    return (
        start + found - 1,
        lambda index: absent_region() if index < start - 1 else region(index - start + 1),
    )


def read_boxed(
    folder: Path, layout: BoxLayout, options: ConvertOptions, name: str
) -> Iterator[SourceSequence]:
    """The sequences in a folder of a data set with boxes, one for each file of boxes.

    Args:
        folder: of the sequence.
        layout: of the data set.
        options: what the user says about it.
        name: of the sequence, which that of a target is made of where there are several.

    Raises:
        OneFrameError: it has one box for several frames.
        UsageError: a file cannot be read, or there is not one box a frame.
    """
    if options.label is not None:
        raise UsageError(f"--object chooses from label maps, and {layout.name} has boxes")
    if options.threshold is not None:
        raise UsageError(f"--threshold is for gray masks, and {layout.name} has boxes")
    fps: float | None = None
    if options.fps is None:
        fps = layout.rates.get(absolute(folder).parent.name)
        if layout.rate_file is not None:
            fps = read_rate(folder / layout.rate_file[0], layout.rate_file[1])
    for target in targets_in(folder, layout, name):
        try:
            yield _read_target(target, fps)
        except FrameError as error:
            raise UsageError(error) from error


def _read_target(target: BoxTarget, fps: float | None) -> SourceSequence:
    try:
        images = target.list_frames()
    except FrameError as error:
        raise UsageError(
            f"{error}: add what is missing, or convert its frames with --boxes and --start N"
        ) from error
    try:
        rows = read_rows(target, len(images))
    except FrameError as error:
        raise UsageError(f"{error}: write x,y,width,height, one line a frame") from error
    if len(rows) == 1 < len(images):
        raise OneFrameError
    count, slack = len(rows), target.layout.slack
    has_rest = target.layout.has_rest or count + slack >= len(images)
    if count > len(images) + slack or (count < len(images) and not has_rest):
        raise UsageError(f"{target.boxes} has {count} boxes for {len(images)} frames")
    visible = np.ones(count, dtype=np.bool_)
    for file in (target.folder / file for file in target.layout.hidden):
        if file.is_file():
            try:
                visible &= read_flags(file, count) == 0
            except FrameError as error:
                raise UsageError(
                    f"{error}: write 0 where the target can be seen and 1 where it cannot, one "
                    "number a frame"
                ) from error
    count, region = _track(target.boxes, rows, visible)
    count = min(count, len(images))
    total = len(images)
    return SourceSequence(target.name, count, region, total, images[:count], fps=fps)


def _track(
    file: Path, rows: RegionRows, visible: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> RegionTrack:
    boxes = rows.boxes
    [negative] = np.nonzero((boxes[:, 2:] < 0).any(axis=1))
    if len(negative):
        raise UsageError(
            f"{file}, line {negative[0] + 1}: a side is negative; write x,y,width,height, "
            "and 0,0,0,0 where the target is absent"
        )
    present = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1) & visible

    def region(index: int) -> Region:
        if not present[index]:
            return absent_region()
        corners = rows.corners.get(index)
        box = Box(*map(float, boxes[index]))
        return box_region(box) if corners is None else shape_region(corners)

    return len(rows), region
