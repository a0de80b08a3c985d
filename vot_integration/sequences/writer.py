"""Writes a sequence folder in VOT format, with ground truth and anchors, in one step."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2

from alpharefine.types import Image, Mask
from vot_integration.sequences.anchors import default_anchors, format_anchors
from vot_integration.sequences.channels import COLOR_PATTERN
from vot_integration.sequences.folder import (
    ANCHOR_FILE,
    PROPERTIES_FILE,
    TRUTH_FILE,
    object_file,
)
from vot_integration.toolkit.files import write_properties, write_regions
from vot_integration.toolkit.regions import Region, mask_region

_JPEG_QUALITY = 92
_WELL_VISIBLE = 0.9


class LabeledFrame(Protocol):
    """A frame to write: image, mask of the visible target, and how much of it is visible."""

    @property
    def image(self) -> Image: ...  # noqa: D102

    @property
    def mask(self) -> Mask: ...  # noqa: D102

    @property
    def visibility(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class NewFrame:
    """A frame of a sequence to write.

    Attributes:
        picture: image, H x W x 3 uint8 RGB, or an image file that is copied as it is.
        region: the target, a toolkit object.
        startable: whether a tracker can be started on it.
        objects: the targets by their names, where there are several; then they are written, and
            no anchors.
    """

    picture: Image | Path
    region: Region
    startable: bool
    objects: Mapping[str, Region] = field(default_factory=dict)


@dataclass(frozen=True)
class SequenceFormat:
    """What holds for a whole sequence.

    Attributes:
        size: width and height of the images, px.
        fps: frames a second.
        suffix: of the image files, ".jpg" or ".png"; picture files have it already.
        link: refer to picture files in place of copying them.
        properties: further lines for the `sequence` file.
    """

    size: tuple[int, int]
    fps: int = 30
    suffix: str = ".jpg"
    link: bool = False
    properties: Mapping[str, str] | None = None


def write_sequence_folder(
    path: Path,
    frames: Iterable[LabeledFrame],
    *,
    fps: int = 30,
    properties: Mapping[str, str] | None = None,
) -> None:
    """Write a sequence with mask ground truth and anchors; a folder of that name is replaced.

    Anchors are only placed where at least 90 % of the target is visible.

    Args:
        path: the folder; its parent exists.
        frames: at least one frame, all of one size.
        fps: frames a second.
        properties: further lines for the `sequence` file.
    """
    iterator = iter(frames)
    first = next(iterator)
    height, width = first.mask.shape
    labeled = (
        NewFrame(frame.image, mask_region(frame.mask), frame.visibility >= _WELL_VISIBLE)
        for part in ((first,), iterator)
        for frame in part
    )
    write_frames(path, labeled, SequenceFormat((width, height), fps, properties=properties))


def write_frames(path: Path, frames: Iterable[NewFrame], form: SequenceFormat) -> None:
    """Write a sequence with ground truth and anchors; a folder of that name is replaced.

    All is written in a temporary folder next to it first, so that the folder is there whole or as
    it was.

    Args:
        path: the folder; its parent exists.
        frames: at least one frame.
        form: what holds for all of them.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        _write_files(draft, path.name, frames, form)
        if path.exists():
            path.rename(Path(scratch) / "replaced")
        draft.rename(path)


def _write_files(folder: Path, name: str, frames: Iterable[NewFrame], form: SequenceFormat) -> None:
    pattern = str(Path(COLOR_PATTERN).with_suffix(form.suffix))
    (folder / pattern).parent.mkdir()
    regions, startable = [], []
    objects: dict[str, list[Region]] = {}
    for number, frame in enumerate(frames, start=1):
        _write_picture(folder / (pattern % number), frame.picture, form.link)
        regions.append(frame.region)
        startable.append(frame.startable)
        for key, region in frame.objects.items():
            objects.setdefault(key, []).append(region)
    for key, track in objects.items():
        write_regions(folder / object_file(key), track)
    if not objects:
        write_regions(folder / TRUTH_FILE, regions)
        anchors = format_anchors(default_anchors(len(regions), startable))
        (folder / ANCHOR_FILE).write_text(anchors, encoding="ascii")
    lines = {
        "name": name,
        "format": "default",
        "channels.color": pattern,
        "fps": str(form.fps),
        "width": str(form.size[0]),
        "height": str(form.size[1]),
        "length": str(len(regions)),
    }
    write_properties(folder / PROPERTIES_FILE, {**lines, **(form.properties or {})})


def _write_picture(file: Path, picture: Image | Path, link: bool) -> None:
    if not isinstance(picture, Path):
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        if not cv2.imwrite(str(file), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality):
            raise OSError(f"OpenCV could not write {file}")
    elif link:
        file.symlink_to(picture.resolve())
    else:
        shutil.copyfile(picture, file)
