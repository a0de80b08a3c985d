"""Label maps: which of their objects are worth training on, and tracks of them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError, FrameFiles, SkipCounter
from alpharefine.data.mask_pictures import MaskPicture, ObjectChoice, read_picture_of_masks
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.types import Box, Mask


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


def object_labels(picture: MaskPicture) -> list[int]:
    """The values other than 0 that occur in a picture of masks, ascending."""
    return [int(value) for value in np.unique(picture.values) if value]


class MaskTrack:
    """One object in label map files.

    Args:
        files: the label map of each frame.
        label: the object's value, None for gray masks of a single object.
        visible: bool per frame.
    """

    has_masks = True

    def __init__(self, files: FrameFiles, label: int | None, visible: NDArray[np.bool_]) -> None:
        self._files = files
        self._label = label
        self.visible = visible

    def target(self, t: int, height: int, width: int) -> tuple[Box, Mask | None]:
        """See `alpharefine.data.source.Track`."""
        path = self._files[t]
        mask = ObjectChoice(self._label).mask(read_picture_of_masks(path))
        if mask.shape != (height, width):
            raise FrameError(f"{path}: mask {mask.shape}, but the image is {(height, width)}")
        box = mask_to_box(mask)
        if box is None:
            raise FrameError(f"{path}: object {self._label} is not in the mask")
        return box, mask


def scan_tracks(
    files: FrameFiles, count: int, objects: ObjectFilter, skips: SkipCounter
) -> list[MaskTrack]:
    """Read `count` label maps and return a track for every object kept in at least one of them.

    Args:
        files: the label map of each frame.
        count: number of frames.
        objects: an object is visible in the frames whose mask this accepts.
        skips: told of unreadable files; no object is visible there.
    """
    visible: dict[int, NDArray[np.bool_]] = {}
    for t in range(count):
        try:
            picture = read_picture_of_masks(files[t])
        except FrameError as error:
            skips.add(error)
            continue
        for label in object_labels(picture):
            if objects.accepts(ObjectChoice(label).mask(picture)):
                visible.setdefault(label, np.zeros(count, dtype=np.bool_))[t] = True
    return [MaskTrack(files, label, seen) for label, seen in sorted(visible.items())]
