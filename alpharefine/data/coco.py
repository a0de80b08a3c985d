"""COCO: objects with masks in still images."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from alpharefine.data.images import FrameError, layout_error, read_image
from alpharefine.data.label_maps import ObjectFilter
from alpharefine.data.source import SequenceInfo, TrainFrame
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import mask_to_box

_EXPECTED = "annotations/instances_<split>.json and <split>/*.jpg (or images/<split>/*.jpg)"


class CocoSource:
    """Every object that is not a crowd, as a sequence of one frame.

    Args:
        root: the data set's folder.
        split: "train2017", "val2017", "train2014", ...
        objects: sizes that are kept, by area and box of the annotation; pieces are not counted.

    Raises:
        UsageError: another layout, an unreadable annotation file, or pycocotools is missing.
    """

    def __init__(
        self, root: Path, split: str = "train2017", objects: ObjectFilter | None = None
    ) -> None:
        self.name = "COCO"
        annotations = root / "annotations" / f"instances_{split}.json"
        folders = [f for f in (root / split, root / "images" / split) if f.is_dir()]
        if not annotations.is_file() or not folders:
            missing = annotations if not annotations.is_file() else root / split
            raise layout_error(root, f"no {missing.relative_to(root)}", "COCO", _EXPECTED)
        self._folder = folders[0]
        self._coco = _load(annotations)
        kept = objects or ObjectFilter()
        self._ids = [
            int(number)
            for number, item in sorted(self._coco.anns.items())
            if _is_kept(item, self._coco.imgs.get(item["image_id"]), kept)
        ]
        if not self._ids:
            raise layout_error(root, "no usable object", "COCO", _EXPECTED)

    def __len__(self) -> int:
        """Number of objects."""
        return len(self._ids)

    def sequence(self, index: int) -> SequenceInfo:
        """See `VideoSource`; objects of one image share its name."""
        image = self._coco.imgs[self._coco.anns[self._ids[index]]["image_id"]]
        return SequenceInfo(str(image["file_name"]), np.ones(1, dtype=np.bool_), has_masks=True)

    def frame(self, index: int, t: int) -> TrainFrame:
        """See `VideoSource`."""
        item = self._coco.anns[self._ids[index]]
        path = self._folder / self._coco.imgs[item["image_id"]]["file_name"]
        image = read_image(path)
        mask = np.ascontiguousarray(self._coco.annToMask(item), dtype=np.uint8)
        box = mask_to_box(mask)
        if mask.shape != image.shape[:2] or box is None:
            raise FrameError(f"{path}: object {item['id']} does not fit the image")
        return TrainFrame(image, box, mask)


def _load(path: Path) -> Any:
    try:
        from pycocotools.coco import COCO
    except ImportError as error:
        raise UsageError("reading COCO needs pycocotools; pip install 'arvot[train]'") from error
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return COCO(str(path))
    except (OSError, ValueError, KeyError, AssertionError) as error:
        raise UsageError(f"{path}: not a COCO annotation file ({error}); get it again") from error


def _is_kept(item: dict[str, Any], image: dict[str, Any] | None, objects: ObjectFilter) -> bool:
    if image is None or item.get("iscrowd") or not item.get("segmentation"):
        return False
    pixels = image["height"] * image["width"]
    if not objects.min_area * pixels <= item["area"] <= objects.max_area * pixels:
        return False
    return bool(min(item["bbox"][2:]) >= objects.min_side)
