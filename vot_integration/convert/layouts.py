"""Data sets and folders, told apart by what lies in them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from alpharefine.data.box_layouts import BOX_LAYOUTS, BoxLayout, absolute, find_layout
from alpharefine.data.frames import gap_notes
from alpharefine.data.images import has_images, is_data, list_folders, list_images
from alpharefine.errors import UsageError
from vot_integration.convert.boxes import place_track, read_boxed, read_track
from vot_integration.convert.masks import choose_folders, masked_sequences, pair_masks
from vot_integration.convert.rate import check_rate
from vot_integration.convert.source import ConvertOptions, LeftOutError, Source, SourceSequence
from vot_integration.convert.video import read_video
from vot_integration.convert.vots import read_objects
from vot_integration.sequences.folder import PROPERTIES_FILE, object_files

_DAVIS_IMAGES = "JPEGImages"
_DAVIS_MASKS = "Annotations"
_DAVIS_DEPTH = 2
"""DAVIS keeps videos below a folder of a resolution, other sets of its kind do not."""

_DEPTH = 5
"""Folders from a source to a sequence, itself included, at most: UAV123 has two between, and
archives that are unpacked into a folder of their own one more."""

_NO_TRUTH = (
    "frames but no ground truth: add groundtruth.txt, or give the frames' folder with --masks or "
    "--boxes"
)
_NO_FRAMES = "ground truth but no frames, beside it or in img: copy them there"
_NO_FRAMES_APART = "ground truth but no folder of frames of that name: copy it there"

_FRAMES_BESIDE = ("frames", "data_seq", "sequences")
"""Folders of frames in the layouts that keep boxes in a folder `anno`."""

_EXPECTED = (
    "a video, a folder of frames with --masks or --boxes, or a folder of DAVIS, "
    + ", ".join(dict.fromkeys(layout.name for layout in BOX_LAYOUTS.values()))
)


def find_sources(source: Path, options: ConvertOptions) -> list[Source]:
    """Find the sequences in a source; their annotation is not read yet.

    Args:
        source: a video file; a folder of frames; a data set, or a part of it.
        options: what the user says about it.

    Returns:
        At least one, each of another name.

    Raises:
        UsageError: nothing known is there, or what the user says does not fit it.
    """
    if not source.exists():
        raise UsageError(f"there is no file or folder {source}")
    if options.masks is not None and options.boxes is not None:
        raise UsageError("--masks and --boxes both say where the target is: give one of them")
    if options.boxes is not None and options.label is not None:
        raise UsageError("--object chooses from label maps: leave it out with --boxes")
    if options.boxes is not None and options.threshold is not None:
        raise UsageError("--threshold is for gray masks: leave it out with --boxes")
    if options.start is not None and options.boxes is None:
        raise UsageError("--start says where --boxes begin: give --boxes FILE, too")
    check_rate(options.fps)
    try:
        found = list(_find(source, options))
        found += [*_lone_boxes(found), *_lone_truth(source)]
        if all(each.is_vot for each in found):
            raise _unknown(source)
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from error
    ready = [each for each in found if each.is_vot]
    new = _tell_rates_apart([each for each in found if not each.is_vot])
    if options.name is not None:
        return [_rename(new, source, options.name)]
    _check_names(new)
    return new + ready


def _find(source: Path, options: ConvertOptions) -> Iterator[Source]:
    davis = _inside_davis(source)
    apart = list(_of_truth(source, options)) if source.is_dir() else []
    if source.is_file():
        yield Source(source.stem, source, partial(read_video, source, options))
    elif options.masks is not None or options.boxes is not None:
        yield _source(source, partial(_plain, source, options))
    elif apart:
        yield from apart
    elif davis is not None:
        yield from _davis(*davis, options)
    else:
        yield from _folders(source, options, _DEPTH)


def _folders(folder: Path, options: ConvertOptions, depth: int) -> Iterator[Source]:
    """Sequences in a folder or, where it is none itself, in those below it.

    What looks like half of a sequence is among them: it must not be lost without a word.
    """
    layout = find_layout(folder)
    if _is_vot(folder):
        if object_files(folder):
            yield _source(folder, partial(read_objects, folder, options))
        else:
            yield replace(_source(folder, partial(_leave_out)), is_vot=True)
    elif layout is not None:
        yield _boxed(folder, layout, options)
    elif (folder / "masks").is_dir():
        images = folder / "color" if (folder / "color").is_dir() else folder
        yield _source(folder, partial(_plain, images, replace(options, masks=folder / "masks")))
    elif (folder / _DAVIS_IMAGES).is_dir() and (folder / _DAVIS_MASKS).is_dir():
        yield from _davis(folder, Path(), options)
    elif has_images(folder / "img"):
        yield _refused(folder, _NO_TRUTH)
    else:
        below = list_folders(folder) if depth > 1 else []
        found = [source for part in below for source in _folders(part, options, depth - 1)]
        if _has_box_file(folder) and all(source.is_half for source in found):
            yield _refused(folder, _NO_FRAMES)
        elif found or depth == _DEPTH or not has_images(folder):
            yield from found
        else:
            yield _refused(folder, _NO_TRUTH)


def _boxed(folder: Path, layout: BoxLayout, options: ConvertOptions) -> Source:
    read = partial(read_boxed, folder, layout, options)
    truth = layout.box_files(folder) if layout.truth != "." else ()
    return replace(_source(folder, read), truth=truth)


def _of_truth(source: Path, options: ConvertOptions) -> Iterator[Source]:
    """Sequences of a folder of boxes apart from the frames, such as UAV123/anno/UAV20L."""
    for layout in BOX_LAYOUTS.values():
        for folder in layout.folders_of(source):
            if layout.fits(folder):
                yield _boxed(folder, layout, options)


def _lone_boxes(found: list[Source]) -> Iterator[Source]:
    """Files of boxes beside those of the sequences that were found, without frames of their own."""
    claimed = {file for source in found for file in source.truth}
    for folder in sorted({file.parent for file in claimed}):
        for file in sorted(set(folder.glob("*.txt")) - claimed):
            if is_data(file):
                yield _refused(file, _NO_FRAMES_APART, name=file.stem)


def _lone_truth(source: Path) -> Iterator[Source]:
    """Folders of boxes without any folder of frames beside them, as of TrackingNet's parts."""
    for truth in (source / "anno", *sorted(source.glob("*/anno"))):
        has_text = truth.is_dir() and any(truth.rglob("*.txt"))
        if has_text and not any((truth.parent / name).is_dir() for name in _FRAMES_BESIDE):
            yield _refused(truth, _NO_FRAMES_APART)


def _inside_davis(source: Path) -> tuple[Path, Path] | None:
    """Root of a DAVIS layout and the part of it that a source is, where it is below the root."""
    path = absolute(source.expanduser())
    for folder in (path, *path.parents):
        if folder.name == _DAVIS_IMAGES and (folder.parent / _DAVIS_MASKS).is_dir():
            return folder.parent, path.relative_to(folder)
    return None


def _davis(root: Path, part: Path, options: ConvertOptions) -> Iterator[Source]:
    """Videos in a part of a DAVIS layout; those with frames or masks alone are among them."""
    images, masks = root / _DAVIS_IMAGES / part, root / _DAVIS_MASKS / part
    if has_images(images) or has_images(masks):
        yield Source(part.name, images, partial(_plain, images, replace(options, masks=masks)))
    elif images.is_dir() and masks.is_dir() and len(part.parts) < _DAVIS_DEPTH:
        for name in sorted(
            {below.name for both in (images, masks) for below in list_folders(both)}
        ):
            yield from _davis(root, part / name, options)


def _plain(folder: Path, options: ConvertOptions, name: str) -> Iterator[SourceSequence]:
    """The sequences of a folder of frames: one, or one for each object of its masks."""
    images = list_images(folder) if folder.is_dir() else []
    if not images:
        below = [p.name for p in list_folders(folder) if has_images(p)] if folder.is_dir() else []
        inside = f"; give a folder in it, such as {below[0]}" if below else ""
        raise UsageError(f"{folder} holds no .jpg, .png, .bmp or .webp frames{inside}")
    notes = gap_notes(images)
    if options.boxes is not None:
        total = len(images)
        count, region = place_track(
            read_track(options.boxes), options.boxes, f"frames in {folder}", total, options.start
        )
        yield SourceSequence(name, count, region, total, images[:count], notes=notes)
    elif options.masks is not None:
        for target, inner in choose_folders(options.masks, options.label):
            paired, masks = pair_masks(images, inner)
            asked = options if target is None else replace(options, label=None)
            named = name if target is None else f"{name}_{target}"
            for sequence in masked_sequences(named, masks, asked):
                told = [*notes, *sequence.notes]
                yield replace(sequence, images=paired, total=len(images), notes=told)


def _source(folder: Path, read: partial[Iterator[SourceSequence]]) -> Source:
    # The name of a link, not of what it leads to.
    return Source(absolute(folder).name, folder, read)


def _leave_out(name: str) -> Iterator[SourceSequence]:
    raise LeftOutError("in VOT format already; `arvot sequences check` finds mistakes in it")


def _refused(path: Path, reason: str, name: str | None = None) -> Source:
    def refuse(name: str) -> Iterator[SourceSequence]:
        raise UsageError(reason)

    # Frames often lie in folders of one name, such as "images".
    return Source(name or str(path), path, refuse, is_half=True)


def _unknown(source: Path) -> UsageError:
    """Why nothing was found."""
    if _is_vot(source) or any(_is_vot(folder) for folder in list_folders(source)):
        return UsageError(
            f"{source} is in VOT format already; `arvot sequences check` finds mistakes in it"
        )
    if has_images(source):
        return UsageError(
            f"{source} is a folder of frames: say where the target is, with --masks DIR or "
            "--boxes FILE; `arvot track` follows it without"
        )
    return UsageError(f"{source} holds no sequence that is known: give {_EXPECTED}")


def _rename(found: list[Source], source: Path, name: str) -> Source:
    if len(found) > 1:
        raise UsageError(
            f"--name {name} is for one sequence, but {source} holds {len(found)}: leave it out, or "
            "convert one of them at a time"
        )
    return replace(found[0], name=name)


def _tell_rates_apart(found: list[Source]) -> list[Source]:
    """Sequences that a data set has at several rates, in folders called so, get the rate's name."""
    counts = Counter(source.name for source in found)
    rates = (absolute(source.path).parent.name for source in found)
    return [
        replace(source, name=f"{source.name}_{rate}")
        if counts[source.name] > 1 and rate.isdecimal()
        else source
        for source, rate in zip(found, rates, strict=True)
    ]


def _check_names(found: list[Source]) -> None:
    places: dict[str, Path] = {}
    for source in found:
        if source.name in places:
            raise UsageError(
                f"two sequences are called {source.name!r}, {places[source.name]} and "
                f"{source.path}: convert them apart"
            )
        places[source.name] = source.path


def _has_box_file(folder: Path) -> bool:
    return any(layout.box_files(folder) for layout in BOX_LAYOUTS.values())


def _is_vot(folder: Path) -> bool:
    return (folder / PROPERTIES_FILE).is_file()
