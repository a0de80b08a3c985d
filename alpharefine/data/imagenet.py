"""ImageNet VID and DET: an XML file of boxes beside every picture."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from alpharefine.data.images import (
    FrameError,
    FrameFiles,
    SkipCounter,
    is_data,
    layout_error,
    natural_order,
    walk_folders,
)
from alpharefine.data.source import BoxTrack, FrameSequence, SequenceSource

_EXPECTED = {
    "VID": "{Data,Annotations}/VID/<split>/[<part>/]<snippet>/000000.{JPEG,xml}",
    "DET": "{Data,Annotations}/DET/<split>/[<part>/]<picture>.{JPEG,xml}",
}

_Objects = dict[str, tuple[float, float, float, float]]
"""Box (x, y, w, h) of each visible object, by its track number or its place in the file."""


def read_imagenet_vid(root: Path, split: str = "train") -> SequenceSource:
    """Every track of every snippet.

    Args:
        root: the folder `ILSVRC2015` (or `ILSVRC`).
        split: "train" or "val".

    Raises:
        UsageError: no snippet in this layout.
    """
    return _read(root, "VID", split)


def read_imagenet_det(root: Path, split: str = "train") -> SequenceSource:
    """Every object of every picture, as a sequence of one frame.

    Args:
        root: the folder `ILSVRC`.
        split: "train" or "val".

    Raises:
        UsageError: no picture in this layout.
    """
    return _read(root, "DET", split)


def _read(root: Path, task: str, split: str) -> SequenceSource:
    name = f"ImageNet {task}"
    annotations = root / "Annotations" / task / split
    skips = SkipCounter(name)
    sequences: list[FrameSequence] = []
    for folder, files in _xml_folders(annotations):
        images = root / "Data" / task / split / folder.relative_to(annotations)
        clips = [(folder.name, files)] if task == "VID" else [(f.stem, [f]) for f in files]
        for clip, clip_files in clips:
            sequences += _read_clip(clip, clip_files, images, skips)
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, f"no object in {annotations}", name, _EXPECTED[task])
    return SequenceSource(name, sequences)


def _xml_folders(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Folders with XML files, depth first, and these files in order."""
    for folder in walk_folders(root):
        files = sorted(filter(is_data, folder.glob("*.xml")), key=natural_order)
        if files:
            yield folder, files


def _read_clip(
    name: str, files: list[Path], images: Path, skips: SkipCounter
) -> list[FrameSequence]:
    """A sequence for each object that is visible in some of the files."""
    frames: list[str] = []
    tracks: dict[str, dict[int, tuple[float, float, float, float]]] = {}
    for file in files:
        try:
            objects = _read_xml(file, images / f"{file.stem}.JPEG")
        except FrameError as error:
            skips.add(error)
            continue
        for key, box in objects.items():
            tracks.setdefault(key, {})[len(frames)] = box
        frames.append(f"{file.stem}.JPEG")
    sequences = []
    for _, track in sorted(tracks.items()):
        boxes = np.full((len(frames), 4), np.nan, dtype=np.float32)
        boxes[list(track)] = list(track.values())
        sequences.append(FrameSequence(name, FrameFiles(images, tuple(frames)), BoxTrack(boxes)))
    return sequences


def _read_xml(path: Path, image: Path) -> _Objects:
    """Objects of a picture that are not occluded.

    Raises:
        FrameError: the file is broken or its picture missing.
    """
    if not image.is_file():
        raise FrameError(f"{image}: missing")
    objects: _Objects = {}
    try:
        for number, item in enumerate(ET.parse(path).getroot().iter("object")):
            if item.findtext("occluded", "0") == "1":
                continue
            x1, y1, x2, y2 = (
                float(item.findtext(f"bndbox/{side}", ""))
                for side in ("xmin", "ymin", "xmax", "ymax")
            )
            objects[item.findtext("trackid", f"{number:03d}")] = (x1, y1, x2 - x1, y2 - y1)
    except (OSError, ET.ParseError, ValueError) as error:
        raise FrameError(f"{path}: not a readable annotation ({error})") from error
    return objects
