"""Annotations with a mask a frame: binary masks of one object, or label maps of several."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.training.data.files import FrameError, list_images, read_labels
from alpharefine.training.data.masks import object_labels, object_mask
from vot_integration.groundtruth import Region, mask_region

_MOST_LABELS = 20
"""More values than this are the grey levels of one mask, not objects."""

_WHITE = 255


def pair_masks(images: Sequence[Path], folder: Path) -> tuple[list[Path], list[Path]]:
    """The images that have a mask of the same stem, and these masks.

    Raises:
        UsageError: none has.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder of masks {folder}")
    masks = {path.stem: path for path in list_images(folder)}
    paired = [image for image in images if image.stem in masks]
    if not paired:
        raise UsageError(
            f"no mask in {folder} has the name of a frame ({images[0].stem}.png, ...): name them so"
        )
    return paired, [masks[image.stem] for image in paired]


def find_objects(masks: Sequence[Path], label: int | None) -> list[int | None]:
    """Which objects there are to follow; None stands for the bright pixels of a grey mask.

    Args:
        masks: label maps of all frames.
        label: the one that the user wants, or None.

    Raises:
        UsageError: the user's object is not in the masks, or nothing is.
    """
    values: set[int] = set()
    for mask in masks:
        values.update(object_labels(_labels(mask)))
    if len(values) > _MOST_LABELS or values == {_WHITE}:
        if label is not None:
            raise UsageError(f"the masks in {masks[0].parent} show one object: leave out --object")
        return [None]
    if not values:
        raise UsageError(f"the masks in {masks[0].parent} are all empty")
    if label is not None and label not in values:
        known = ", ".join(map(str, sorted(values)))
        raise UsageError(f"object {label} is not in {masks[0].parent}; there are {known}")
    return [*sorted(values)] if label is None else [label]


def mask_track(masks: Sequence[Path], label: int | None) -> Callable[[int], Region]:
    """A function from the index of a frame to the region of an object."""

    def region(index: int) -> Region:
        return mask_region(object_mask(_labels(masks[index]), label))

    return region


def _labels(path: Path) -> NDArray[np.uint8]:
    try:
        return read_labels(path)
    except FrameError as error:
        raise UsageError(f"{error}: replace it") from error
