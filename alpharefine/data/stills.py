"""Still images: folders of images with masks, and folders of images without annotation."""

from pathlib import Path

import numpy as np

from alpharefine.data.images import (
    FrameError,
    FrameFiles,
    SkipCounter,
    list_images,
    read_image,
    require_folders,
    walk_folders,
)
from alpharefine.data.label_maps import MaskTrack, ObjectFilter, scan_tracks
from alpharefine.data.mask_pictures import ObjectChoice
from alpharefine.data.source import FrameSequence, SequenceSource
from alpharefine.errors import UsageError
from alpharefine.types import Image


def read_mask_folder(
    root: Path,
    name: str | None = None,
    images: str = "images",
    masks: str = "masks",
    binary: bool = False,
    objects: ObjectFilter | None = None,
) -> SequenceSource:
    """Images with label maps of the same stem, each kept object a sequence of one frame.

    Args:
        root: folder that holds both folders.
        name: for messages and weights, default the folder's name.
        images: folder of the images below `root`.
        masks: folder of the PNG label maps below `root` (0 = background, k = object k);
            may be the same folder, images then being the files that are not PNG.
        binary: gray masks of one object each (128 and above); not opened before they are used.
        objects: which objects are kept; not applied to binary masks.

    Raises:
        UsageError: the folders are missing or no image has a mask.
    """
    name = name or root.name
    expected = f"{images}/<stem>.jpg and {masks}/<stem>.png (0 = background, k = object k)"
    require_folders(root, (images, masks), "image + mask", expected)
    skips = SkipCounter(name)
    sequences: list[FrameSequence] = []
    for path in list_images(root / images):
        if images == masks and path.suffix.lower() == ".png":
            continue
        file = FrameFiles(root / masks, (f"{path.stem}.png",))
        if not file[0].is_file():
            skips.add(f"{path}: no mask {file[0]}")
            continue
        if binary:
            tracks = [MaskTrack(file, ObjectChoice(None), np.ones(1, dtype=np.bool_))]
        else:
            tracks = scan_tracks(file, 1, objects or ObjectFilter(), skips)
        frames = FrameFiles(root / images, (path.name,))
        sequences += [FrameSequence(f"{name}/{path.stem}", frames, track) for track in tracks]
    skips.report(len(sequences))
    if not sequences:
        raise UsageError(f"{root}: no usable object; expected {expected}")
    return SequenceSource(name, sequences)


class ImageFolder:
    """Images without annotation, sub-folders included: backgrounds, unlabelled training.

    Args:
        root: the folder.

    Raises:
        UsageError: there is no image in it.
    """

    def __init__(self, root: Path) -> None:
        self._files = [path for folder in walk_folders(root) for path in list_images(folder)]
        self._skips = SkipCounter(root.name)
        if not self._files:
            raise UsageError(f"{root}: no image found; expected a folder of .jpg or .png files")

    def __len__(self) -> int:
        """Number of image files."""
        return len(self._files)

    def image(self, index: int) -> Image:
        """Image `index`, H x W x 3 RGB uint8.

        Raises:
            FrameError: the file is broken.
        """
        try:
            return read_image(self._files[index])
        except FrameError as error:
            self._skips.add(error)
            raise
