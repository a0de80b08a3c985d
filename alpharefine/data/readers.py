"""The readers by name: what a training configuration can ask for."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from alpharefine.data.box_layouts import BOX_LAYOUTS
from alpharefine.data.box_videos import read_box_videos
from alpharefine.data.coco import CocoSource
from alpharefine.data.folders import read_video_folder
from alpharefine.data.imagenet import read_imagenet_det, read_imagenet_vid
from alpharefine.data.mask_videos import read_davis, read_youtube_vos
from alpharefine.data.source import VideoSource
from alpharefine.data.square_crops import read_square_crops
from alpharefine.data.stills import read_mask_folder
from alpharefine.errors import UsageError

Reader = Callable[[Path], VideoSource]
"""Reads the folder of a data set."""

SALIENCY_FOLDERS: Mapping[str, tuple[str, str]] = {
    "duts": ("DUTS-TR-Image", "DUTS-TR-Mask"),
    "msra10k": ("Imgs", "Imgs"),
    "ecssd": ("images", "ground_truth_mask"),
    "hku-is": ("imgs", "gt"),
    "dut-omron": ("DUT-OMRON-image", "pixelwiseGT-new-PNG"),
}
"""Saliency set -> its folders of images and of masks."""

_SALIENCY: Mapping[str, Reader] = {
    name: partial(read_mask_folder, name=name, images=images, masks=masks, binary=True)
    for name, (images, masks) in SALIENCY_FOLDERS.items()
}

_BOXES: Mapping[str, Reader] = {
    kind: partial(read_box_videos, layout=layout) for kind, layout in BOX_LAYOUTS.items()
}

READERS: Mapping[str, Reader] = {
    "masks": read_mask_folder,
    "video": read_video_folder,
    **_BOXES,
    "coco": CocoSource,
    "imagenet-vid": read_imagenet_vid,
    "imagenet-det": read_imagenet_det,
    "youtube-vos": read_youtube_vos,
    "davis": read_davis,
    "square-crops": read_square_crops,
    **_SALIENCY,
}
"""Kind of data set -> what reads its folder; the training part, where a data set has parts."""


def read_source(root: Path, kind: str | None = None) -> VideoSource:
    """Read the folder of a data set.

    Args:
        root: the folder.
        kind: a key of `READERS`; None takes "masks" for a folder with `images` and `masks`, else
            "video".

    Raises:
        UsageError: unknown kind, or another layout.
    """
    if kind is None:
        is_stills = (root / "images").is_dir() and (root / "masks").is_dir()
        kind = "masks" if is_stills else "video"
    if kind not in READERS:
        raise UsageError(f"unknown kind of data set {kind!r}; choose {', '.join(READERS)}")
    return READERS[kind](root)
