"""Writes a sequence folder in VOT format, with mask ground truth and anchors, in one step."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

import cv2
from vot.utilities import write_properties

from alpharefine.trackers.base import Image, Mask
from vot_integration.anchors import default_anchors, write_anchors
from vot_integration.groundtruth import mask_region, write_regions
from vot_integration.vot_folder import ANCHOR_FILE, COLOR_PATTERN, PROPERTIES_FILE

_JPEG_QUALITY = 92
_WELL_VISIBLE = 0.9


class LabelledFrame(Protocol):
    """A frame to write: image, mask of the visible target, and how much of it is visible."""

    @property
    def image(self) -> Image: ...  # noqa: D102

    @property
    def mask(self) -> Mask: ...  # noqa: D102

    @property
    def visibility(self) -> float: ...  # noqa: D102


def write_sequence_folder(
    path: Path,
    frames: Iterable[LabelledFrame],
    *,
    fps: int = 30,
    properties: Mapping[str, str] | None = None,
) -> None:
    """Write a sequence with mask ground truth and anchors; a folder of that name is replaced.

    All is written in a temporary folder next to it first, so that the folder is there whole or as
    it was. Anchors are only placed where at least 90 % of the target is visible.

    Args:
        path: the folder; its parent exists.
        frames: at least one frame, all of one size.
        fps: frames a second.
        properties: further lines for the `sequence` file.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        draft = Path(scratch) / "draft"
        draft.mkdir()
        _write_files(draft, path.name, frames, fps, properties or {})
        if path.exists():
            path.rename(Path(scratch) / "replaced")
        draft.rename(path)


def _write_files(
    folder: Path,
    name: str,
    frames: Iterable[LabelledFrame],
    fps: int,
    properties: Mapping[str, str],
) -> None:
    (folder / COLOR_PATTERN).parent.mkdir()
    regions, visible = [], []
    size = (0, 0)
    for number, frame in enumerate(frames, start=1):
        _write_jpeg(folder / (COLOR_PATTERN % number), frame.image)
        regions.append(mask_region(frame.mask))
        visible.append(frame.visibility >= _WELL_VISIBLE)
        size = frame.mask.shape[1], frame.mask.shape[0]
    write_regions(folder / "groundtruth.txt", regions)
    write_anchors(folder / ANCHOR_FILE, default_anchors(len(regions), visible))
    lines = {
        "name": name,
        "format": "default",
        "channels.color": COLOR_PATTERN,
        "fps": str(fps),
        "width": str(size[0]),
        "height": str(size[1]),
        "length": str(len(regions)),
    }
    write_properties(str(folder / PROPERTIES_FILE), {**lines, **properties})


def _write_jpeg(file: Path, image: Image) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    if not cv2.imwrite(str(file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality):
        raise OSError(f"OpenCV could not write {file}")
