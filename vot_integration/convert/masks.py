"""Annotations with a mask a frame: binary masks of one object, or label maps of several."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError, list_images
from alpharefine.data.label_maps import object_labels, object_mask, read_labels
from alpharefine.errors import UsageError
from vot_integration.convert.source import OneFrameError, SourceSequence
from vot_integration.toolkit.regions import Region, mask_region

_MOST_LABELS = 20
"""More values than this are the gray levels of one mask, not objects."""

_WHITE = 255


@dataclass(frozen=True)
class MaskObjects:
    """What the masks of a sequence show.

    Attributes:
        labels: objects to follow; None stands for the bright pixels of a gray mask.
        size: width and height of the masks, px.
    """

    labels: Sequence[int | None]
    size: tuple[int, int]


def list_masks(folder: Path) -> list[Path]:
    """Masks in a folder, by name.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder of masks {folder}")
    return list_images(folder)


def pair_masks(images: Sequence[Path], folder: Path) -> tuple[list[Path], list[Path]]:
    """The images that have a mask of the same stem, and these masks.

    Raises:
        OneFrameError: of several images, one alone has.
        UsageError: none has.
    """
    masks = {path.stem: path for path in list_masks(folder)}
    paired = [image for image in images if image.stem in masks]
    if not paired:
        raise UsageError(
            f"no mask in {folder} has the name of a frame ({images[0].stem}.png, ...): name them so"
        )
    if len(paired) == 1 < len(images):
        raise OneFrameError
    return paired, [masks[image.stem] for image in paired]


def find_objects(masks: Sequence[Path], label: int | None) -> MaskObjects:
    """Find which objects there are to follow.

    Args:
        masks: label maps of all frames.
        label: the one that the user wants, or None.

    Raises:
        UsageError: the user's object is not in the masks, or nothing is; or they differ in size.
    """
    folder = masks[0].parent
    values: set[int] = set()
    sizes: dict[tuple[int, int], Path] = {}
    for mask in masks:
        labels = _labels(mask)
        values.update(object_labels(labels))
        sizes.setdefault((labels.shape[1], labels.shape[0]), mask)
    if len(sizes) > 1:
        unlike = " but ".join(f"{file.name} has {w} x {h}" for (w, h), file in sizes.items())
        raise UsageError(f"the masks in {folder} differ in size: {unlike} pixels")
    return MaskObjects(_choose(values, label, folder), next(iter(sizes)))


def _choose(values: set[int], label: int | None, folder: Path) -> list[int | None]:
    if len(values) > _MOST_LABELS or values == {_WHITE}:
        if label is not None:
            raise UsageError(f"the masks in {folder} show one object: leave out --object")
        return [None]
    if not values:
        raise UsageError(f"the masks in {folder} are all empty")
    if label is not None and label not in values:
        known = ", ".join(map(str, sorted(values)))
        raise UsageError(f"object {label} is not in {folder}; there are {known}")
    return [*sorted(values)] if label is None else [label]


def masked_sequences(
    name: str, masks: Sequence[Path], label: int | None
) -> Iterator[SourceSequence]:
    """A sequence for each object in masks; its frames are still to be given.

    Args:
        name: of the sequence, which that of an object is made of where there are several.
        masks: one a frame.
        label: of the object that the user wants, or None.

    Raises:
        UsageError: see `find_objects`.
    """
    found = find_objects(masks, label)
    for object_label in found.labels:
        target = name if len(found.labels) == 1 else f"{name}_{object_label}"
        region = _mask_track(masks, object_label)
        yield SourceSequence(target, len(masks), region, len(masks), truth_size=found.size)


def _mask_track(masks: Sequence[Path], label: int | None) -> Callable[[int], Region]:

    def region(index: int) -> Region:
        return mask_region(object_mask(_labels(masks[index]), label))

    return region


def _labels(path: Path) -> NDArray[np.uint8]:
    try:
        return read_labels(path)
    except FrameError as error:
        raise UsageError(f"{error}: replace it") from error
