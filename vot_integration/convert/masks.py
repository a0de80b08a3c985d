"""Annotations with a mask a frame: binary masks of one object, or label maps of several."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.images import FrameError, has_images, is_data, list_folders, list_images
from alpharefine.data.mask_pictures import (
    MASK_SUFFIXES,
    MaskPicture,
    MaskSurvey,
    ObjectChoice,
    read_picture_of_masks,
)
from alpharefine.errors import UsageError
from vot_integration.convert.source import ConvertOptions, OneFrameError, SourceSequence
from vot_integration.toolkit.regions import Region, mask_region

_SHOWN_KINDS = 3


@dataclass(frozen=True)
class MaskObjects:
    """What the masks of a sequence show.

    Attributes:
        choices: objects to follow.
        size: width and height of the masks, px.
        notes: what the user should know of how they were chosen, a line each.
    """

    choices: Sequence[ObjectChoice]
    size: tuple[int, int]
    notes: Sequence[str] = ()


def list_masks(folder: Path) -> list[Path]:
    """Masks in a folder, by name.

    Raises:
        UsageError: there is no such folder, or no mask in it.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder of masks {folder}")
    masks = list_images(folder, MASK_SUFFIXES)
    if not masks:
        files = (path for path in folder.iterdir() if path.is_file() and is_data(path))
        kinds = ", ".join(sorted({path.suffix or path.name for path in files})[:_SHOWN_KINDS])
        but = f", only {kinds}" if kinds else ""
        raise UsageError(f"{folder} holds no masks{but}: save them as .png, named as the frames")
    return masks


def pair_masks(images: Sequence[Path], folder: Path) -> tuple[list[Path], list[Path]]:
    """The images that have a mask of the same stem, and these masks.

    Raises:
        OneFrameError: of several images, one alone has.
        UsageError: none has, or one has two.
    """
    masks: dict[str, Path] = {}
    for path in list_masks(folder):
        if path.stem in masks:
            raise UsageError(f"{masks[path.stem]} and {path.name} are masks of one frame: keep one")
        masks[path.stem] = path
    paired = [image for image in images if image.stem in masks]
    if not paired:
        raise UsageError(
            f"no mask in {folder} has the name of a frame ({images[0].stem}.png, ...): name them so"
        )
    if len(paired) == 1 < len(images):
        raise OneFrameError
    return paired, [masks[image.stem] for image in paired]


def mask_folders(folder: Path) -> list[tuple[str | None, Path]]:
    """Folders of masks that a folder stands for, each with the name of its object.

    It is one itself, of all objects, or holds one for each object.
    """
    inner = list_folders(folder) if folder.is_dir() and not _has_masks(folder) else []
    objects: list[tuple[str | None, Path]] = [(p.name, p) for p in inner if _has_masks(p)]
    return objects or [(None, folder)]


def choose_folders(folder: Path, label: int | None) -> list[tuple[str | None, Path]]:
    """Those of `mask_folders` that the user wants.

    Args:
        folder: of masks, or of a folder an object.
        label: number that an object's folder is named after, where there are such; None for all.

    Raises:
        UsageError: there is no such object.
    """
    found = mask_folders(folder)
    if label is None or found[0][0] is None:
        return found
    chosen = [each for each in found if str(each[0]).isdecimal() and int(str(each[0])) == label]
    if not chosen:
        known = ", ".join(str(name) for name, _ in found)
        raise UsageError(
            f"object {label} is not in {folder}, which has a folder an object: {known}; give one "
            "of them with --masks"
        )
    return chosen


def find_objects(masks: Sequence[Path], options: ConvertOptions) -> MaskObjects:
    """Find which objects there are to follow.

    Args:
        masks: masks or label maps of all frames.
        options: which object the user wants, and from which gray value on.

    Raises:
        UsageError: see `MaskSurvey.find`; or a mask cannot be read, or they differ in size.
    """
    folder = masks[0].parent
    survey = MaskSurvey(f"the masks in {folder}")
    sizes: dict[tuple[int, int], Path] = {}
    for mask in masks:
        picture = _read(mask)
        survey.add(picture)
        height, width = picture.values.shape
        sizes.setdefault((width, height), mask)
    if len(sizes) > 1:
        unlike = " but ".join(f"{file.name} has {w} x {h}" for (w, h), file in sizes.items())
        raise UsageError(f"the masks in {folder} differ in size: {unlike} pixels")
    labels = [] if options.label is None else [options.label]
    found = survey.find(labels, options.threshold)
    return MaskObjects(found.choices, next(iter(sizes)), found.notes)


def masked_sequences(
    name: str, masks: Sequence[Path], options: ConvertOptions
) -> Iterator[SourceSequence]:
    """A sequence for each object in masks; its frames are still to be given.

    Args:
        name: of the sequence, which that of an object is made of where there are several.
        masks: one a frame.
        options: which object the user wants, and from which gray value on.

    Raises:
        UsageError: see `find_objects`.
    """
    found = find_objects(masks, options)
    for choice in found.choices:
        target = name if len(found.choices) == 1 else f"{name}_{choice.label}"
        region = _mask_track(masks, choice)
        yield SourceSequence(
            target, len(masks), region, len(masks), truth_size=found.size, notes=found.notes
        )


def _mask_track(masks: Sequence[Path], choice: ObjectChoice) -> Callable[[int], Region]:

    def region(index: int) -> Region:
        return mask_region(choice.mask(_read(masks[index])))

    return region


def _has_masks(folder: Path) -> bool:
    return has_images(folder, MASK_SUFFIXES)


def _read(path: Path) -> MaskPicture:
    try:
        return read_picture_of_masks(path)
    except FrameError as error:
        raise UsageError(f"{error}: replace it") from error
