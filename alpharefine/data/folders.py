"""Plain video folders: VOT format, and the same with a folder of mask files."""

from pathlib import Path

from alpharefine.data.images import (
    FrameError,
    FrameFiles,
    SkipCounter,
    layout_error,
    list_folders,
    list_images,
)
from alpharefine.data.label_maps import ObjectFilter, scan_tracks
from alpharefine.data.regions import RegionTrack
from alpharefine.data.source import FrameSequence, SequenceSource
from alpharefine.data.text import NAME_COMMENTS, read_lines
from alpharefine.errors import UsageError

_EXPECTED = "<sequence>/color/*.jpg with <sequence>/groundtruth.txt or <sequence>/masks/*.png"

VIDEO_OBJECTS = ObjectFilter(min_area=0.0005, max_area=0.9, min_side=6, min_extent=0.0)
"""A tracked target may be small for a while, and cut in pieces by what passes before it."""


def read_video_folder(
    root: Path, name: str | None = None, objects: ObjectFilter = VIDEO_OBJECTS
) -> SequenceSource:
    """Sequences in VOT format, or with masks as PNG label maps.

    A sequence is a folder with its frames in `color/` (or directly in it) and `masks/` (label
    maps of the same stems, each object a sequence) or `groundtruth.txt` (a region a line).
    `list.txt` in `root` restricts the sequences, when there is one.

    Args:
        root: folder of the sequences.
        name: for messages and weights, default the folder's name.
        objects: in which frames the object of a label map counts as visible.

    Raises:
        UsageError: no sequence in this layout.
    """
    name = name or root.name
    if not root.is_dir():
        raise layout_error(root, "not a folder", "video", _EXPECTED)
    skips = SkipCounter(name)
    sequences: list[FrameSequence] = []
    for folder in _sequence_folders(root):
        try:
            sequences += _read_sequence(folder, objects, skips)
        except FrameError as error:
            skips.add(error)
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, "no usable sequence", "video", _EXPECTED)
    return SequenceSource(name, sequences)


def _sequence_folders(root: Path) -> list[Path]:
    listing = root / "list.txt"
    if not listing.is_file():
        return list_folders(root)
    try:
        folders = [root / line for _, line in read_lines(listing, NAME_COMMENTS) if line]
    except FrameError as error:
        raise UsageError(error) from error
    missing = [folder.name for folder in folders if not folder.is_dir()]
    if missing:
        raise UsageError(f"{listing}: no folder for {missing[0]}; correct the list or add it")
    return folders


def _read_sequence(folder: Path, objects: ObjectFilter, skips: SkipCounter) -> list[FrameSequence]:
    color = folder / "color" if (folder / "color").is_dir() else folder
    images = list_images(color)
    if (folder / "masks").is_dir():
        images = [p for p in images if (folder / "masks" / f"{p.stem}.png").is_file()]
        files = FrameFiles(folder / "masks", tuple(f"{p.stem}.png" for p in images))
        tracks = scan_tracks(files, len(images), objects, skips)
        frames = FrameFiles(color, tuple(p.name for p in images))
        return [FrameSequence(f"{folder.name}", frames, track) for track in tracks]
    track = RegionTrack(folder / "groundtruth.txt")
    if track.visible.size != len(images):
        raise FrameError(
            f"{folder}: {len(images)} frames, but {track.visible.size} lines in groundtruth.txt"
        )
    return [FrameSequence(folder.name, FrameFiles(color, tuple(p.name for p in images)), track)]
