"""Label maps: which of their objects are worth training on, and tracks of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError, FrameFiles, SkipCounter
from alpharefine.data.mask_pictures import (
    MaskPicture,
    MaskSurvey,
    ObjectChoice,
    read_picture_of_masks,
)
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Mask

_KEPT = 4
"""Pictures that are not read twice: those of still images; all of a video would fill the memory."""


@dataclass(frozen=True)
class ObjectFilter:
    """Which objects of a label map are kept.

    Attributes:
        min_area: smallest area, fraction of the image.
        max_area: largest area, fraction of the image; more is scenery.
        min_side: smallest width and height of the tight box, px.
        min_extent: smallest share of the object in its largest connected piece; less is a
            scatter of specks or a class that covers several objects.
    """

    min_area: float = 0.002
    max_area: float = 0.8
    min_side: int = 12
    min_extent: float = 0.6

    def accepts(self, mask: Mask) -> bool:
        """Whether the object of a binary mask (H x W) is kept."""
        area = int(np.count_nonzero(mask))
        if not self.min_area * mask.size <= area <= self.max_area * mask.size:
            return False
        box = mask_to_box(mask)
        if box is None or min(box.w, box.h) < self.min_side:
            return False
        return largest_piece(mask, box) >= self.min_extent * area


def largest_piece(mask: Mask, box: Box) -> int:
    """Area in px of the largest 8-connected piece of `mask`, all of which lies in `box`."""
    x, y, w, h = (int(v) for v in box)
    piece = np.ascontiguousarray(mask[y : y + h, x : x + w])
    _, _, stats, _ = cv2.connectedComponentsWithStats(piece, connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))


class MaskTrack:
    """One object in label map files.

    Args:
        files: the label map of each frame.
        choice: which of their pixels are the object.
        visible: bool per frame.
    """

    has_masks = True

    def __init__(self, files: FrameFiles, choice: ObjectChoice, visible: NDArray[np.bool_]) -> None:
        self._files = files
        self._choice = choice
        self.visible = visible

    def target(self, t: int, height: int, width: int) -> tuple[Box, Mask | None]:
        """See `alpharefine.data.source.Track`."""
        path = self._files[t]
        mask = self._choice.mask(read_picture_of_masks(path))
        if mask.shape != (height, width):
            raise FrameError(f"{path}: mask {mask.shape}, but the image is {(height, width)}")
        box = mask_to_box(mask)
        if box is None:
            which = "the object" if self._choice.label is None else f"object {self._choice.label}"
            raise FrameError(f"{path}: {which} is not in the mask")
        return box, mask


def scan_tracks(
    files: FrameFiles, count: int, objects: ObjectFilter, skips: SkipCounter
) -> list[MaskTrack]:
    """Read `count` pictures of masks and return a track for every object that is worth training on.

    Which objects there are is decided by all pictures, as `MaskSurvey` does: 255 beside other
    numbers may be "ignore", and soft edges are no objects.

    Args:
        files: the picture of masks of each frame.
        count: number of frames.
        objects: an object is visible in the frames whose mask this accepts.
        skips: told of unreadable files, in which no object is visible, and of pictures that may
            mean several things, which have no object.
    """
    survey = MaskSurvey(str(files[0]) if count == 1 else f"the masks in {files.folder}")
    is_empty = True
    kept: dict[int, MaskPicture] = {}
    unreadable = set()
    for t in range(count):
        try:
            picture = read_picture_of_masks(files[t])
        except FrameError as error:
            skips.add(error)
            unreadable.add(t)
            continue
        is_empty &= not picture.values.any()
        survey.add(picture)
        if t < _KEPT:
            kept[t] = picture
    if is_empty:
        return []
    try:
        choices = survey.choose(None, None)
    except UsageError as error:
        skips.add(f"{error} (for training, by saving them as label maps or as black and white)")
        return []
    visible = np.zeros((len(choices), count), dtype=np.bool_)
    for t in sorted(set(range(count)) - unreadable):
        picture = kept[t] if t in kept else read_picture_of_masks(files[t])
        visible[:, t] = [objects.accepts(choice.mask(picture)) for choice in choices]
    return [
        MaskTrack(files, choice, seen)
        for choice, seen in zip(choices, visible, strict=True)
        if seen.any()
    ]
