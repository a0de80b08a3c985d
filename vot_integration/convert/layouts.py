"""Data sets and folders, told apart by what lies in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.errors import UsageError
from alpharefine.training.data.files import list_folders, list_images
from vot_integration.convert.boxes import BoxFiles, read_box_track
from vot_integration.convert.masks import find_objects, mask_track, pair_masks
from vot_integration.convert.source import ConvertOptions, SourceSequence
from vot_integration.convert.video import read_video


@dataclass(frozen=True)
class BoxLayout:
    """A data set with a folder a sequence and a box a frame.

    Attributes:
        name: of the data set.
        images: folder of the frames, relative to the sequence's.
        boxes: glob pattern of the files of boxes; several files are several targets.
        hidden: files of a number a frame, not 0 where the target is hidden, where there are such.
        starts: number of the first frame that has a box, by sequence; 1 for others.
    """

    name: str
    images: str
    boxes: str
    hidden: tuple[str, ...] = ()
    starts: tuple[tuple[str, int], ...] = ()

    def fits(self, folder: Path) -> bool:
        """Whether a folder is a sequence of this data set."""
        return bool(self.box_files(folder)) and _has_images(folder / self.images)

    def box_files(self, folder: Path) -> list[Path]:
        """Files of boxes in a sequence's folder, sorted."""
        return sorted(folder.glob(self.boxes))


BOX_LAYOUTS = (
    BoxLayout("OTB", "img", "groundtruth_rect*.txt", starts=(("David", 300),)),
    BoxLayout("LaSOT", "img", "groundtruth.txt", ("full_occlusion.txt", "out_of_view.txt")),
    BoxLayout("GOT-10k", ".", "groundtruth.txt", ("absence.label",)),
)
"""Sources: Wu et al., PAMI 2015; Fan et al., CVPR 2019; Huang et al., PAMI 2019. The first that
fits is taken. LaSOT keeps its sequences in folders of classes."""

_DEPTH = 3
"""Folders between a data set's root and a sequence, at most."""

_HIGHEST_FPS = 1000

_EXPECTED = (
    "a video, a folder of frames with --masks or --boxes, or a DAVIS, OTB, LaSOT or GOT-10k folder"
)


def find_sequences(source: Path, options: ConvertOptions) -> list[SourceSequence]:
    """Find the sequences in a source.

    Args:
        source: a video file; a folder of frames; a data set, or one sequence of it.
        options: what the user says about it.

    Raises:
        UsageError: nothing known is there, or its annotation does not fit.
    """
    if not source.exists():
        raise UsageError(f"there is no file or folder {source}")
    if options.masks is not None and options.boxes is not None:
        raise UsageError("--masks and --boxes both say where the target is: give one of them")
    if options.fps is not None and not 1 <= options.fps <= _HIGHEST_FPS:
        raise UsageError(f"--fps {options.fps:g}: give frames a second, 1 to {_HIGHEST_FPS}")
    found = list(_find(source, options))
    if not found:
        raise UsageError(f"{source} holds no sequence that is known: give {_EXPECTED}")
    if options.name is not None:
        found = _rename(found, options.name)
    return found


def _find(source: Path, options: ConvertOptions) -> Iterator[SourceSequence]:
    if source.is_file():
        yield from read_video(source, options)
    elif options.masks is not None or options.boxes is not None:
        yield from _plain(source, source.resolve().name, options)
    elif (source / "JPEGImages").is_dir() and (source / "Annotations").is_dir():
        yield from _davis(source, options)
    else:
        yield from _folders(source, options, _DEPTH)


def _folders(folder: Path, options: ConvertOptions, depth: int) -> Iterator[SourceSequence]:
    """Sequences in a folder or, where it is none itself, in those below it."""
    layout = next((layout for layout in BOX_LAYOUTS if layout.fits(folder)), None)
    if layout is not None:
        yield from _boxed(folder, layout)
    elif (folder / "masks").is_dir():
        images = folder / "color" if (folder / "color").is_dir() else folder
        name = folder.resolve().name
        yield from _plain(images, name, replace(options, masks=folder / "masks"))
    elif depth > 1:
        for below in list_folders(folder):
            yield from _folders(below, options, depth - 1)


def _davis(root: Path, options: ConvertOptions) -> Iterator[SourceSequence]:
    """DAVIS keeps videos below a folder of a resolution, other sets of its kind do not."""
    annotated = root / "Annotations"
    below = list_folders(annotated)
    has_resolutions = bool(below) and not any(_has_images(folder) for folder in below)
    if has_resolutions:
        below = [video for part in below for video in list_folders(part)]
    for folder in below:
        images = root / "JPEGImages" / folder.relative_to(annotated)
        if images.is_dir():
            yield from _plain(images, folder.name, replace(options, masks=folder))


def _boxed(folder: Path, layout: BoxLayout) -> Iterator[SourceSequence]:
    files = layout.box_files(folder)
    hidden = [folder / name for name in layout.hidden if (folder / name).is_file()]
    images = list_images(folder / layout.images)
    name = folder.resolve().name
    images = images[dict(layout.starts).get(name, 1) - 1 :]
    for number, file in enumerate(files, start=1):
        count, region = read_box_track(BoxFiles(file, hidden))
        if count > len(images):
            raise UsageError(f"{file} has {count} boxes for {len(images)} frames")
        # Some OTB sequences have frames behind the last box.
        target = name if len(files) == 1 else f"{name}_{number}"
        yield SourceSequence(target, count, region, images[:count])


def _plain(folder: Path, name: str, options: ConvertOptions) -> Iterator[SourceSequence]:
    images = list_images(folder)
    if not images:
        raise UsageError(f"{folder} holds no .jpg, .png, .bmp or .webp frames")
    if options.boxes is not None:
        count, region = read_box_track(BoxFiles(options.boxes))
        if count != len(images):
            raise UsageError(
                f"{options.boxes} has {count} boxes for the {len(images)} frames in {folder}: "
                "write one a line, 0,0,0,0 where the target is absent"
            )
        yield SourceSequence(name, count, region, images)
    elif options.masks is not None:
        images, masks = pair_masks(images, options.masks)
        yield from masked_sequences(name, images, masks, options)


def masked_sequences(
    name: str, images: Sequence[Path], masks: Sequence[Path], options: ConvertOptions
) -> Iterator[SourceSequence]:
    """A sequence for each object in masks that belong to images."""
    objects = find_objects(masks, options.label)
    for label in objects:
        target = name if len(objects) == 1 else f"{name}_{label}"
        yield SourceSequence(target, len(masks), mask_track(masks, label), images)


def _rename(found: Sequence[SourceSequence], name: str) -> list[SourceSequence]:
    if len(found) == 1:
        return [replace(found[0], name=name)]
    return [
        replace(sequence, name=f"{name}_{number}") for number, sequence in enumerate(found, start=1)
    ]


def _has_images(folder: Path) -> bool:
    return folder.is_dir() and bool(list_images(folder))
