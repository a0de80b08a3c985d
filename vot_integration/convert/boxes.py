"""Annotations with a box a frame."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.data.regions import read_boxes, read_numbers
from alpharefine.errors import UsageError
from alpharefine.types import Box
from vot_integration.toolkit.regions import Region, absent_region, box_region

Boxes = NDArray[np.float32]


@dataclass(frozen=True)
class BoxFiles:
    """Files that say where the target is.

    Attributes:
        boxes: x, y, width, height in a line, separated by commas, tabs or spaces.
        hidden: files with a number for each box, not 0 where the target cannot be seen.
    """

    boxes: Path
    hidden: Sequence[Path] = ()


def read_box_track(files: BoxFiles) -> tuple[int, Callable[[int], Region]]:
    """Read boxes; those that are empty or not finite, or hidden, are absent targets.

    Returns:
        The number of boxes, and a function from the index of a frame to its region.

    Raises:
        UsageError: a file cannot be read, or there is not one number for each box.
    """
    if not files.boxes.is_file():
        raise UsageError(f"there is no file of boxes {files.boxes}")
    try:
        boxes = read_boxes(files.boxes)
        flags = [read_numbers(file).ravel() for file in files.hidden]
    except FrameError as error:
        raise UsageError(f"{error}: write x,y,width,height, one line a frame") from error
    for file, values in zip(files.hidden, flags, strict=True):
        if len(values) != len(boxes):
            raise UsageError(f"{file} has {len(values)} numbers for {len(boxes)} boxes")
    [negative] = np.nonzero((boxes[:, 2:] < 0).any(axis=1))
    if len(negative):
        raise UsageError(
            f"{files.boxes}, line {negative[0] + 1}: a side is negative; write x,y,width,height, "
            "and 0,0,0,0 where the target is absent"
        )
    visible = np.asarray(np.isfinite(boxes).all(axis=1))
    visible &= (boxes[:, 2:] > 0).all(axis=1)
    for values in flags:
        visible &= values == 0

    def region(index: int) -> Region:
        return box_region(Box(*map(float, boxes[index]))) if visible[index] else absent_region()

    return len(boxes), region
