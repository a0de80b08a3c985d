"""Sets that were cut into squares around their targets beforehand, as for Siamese training."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError, FrameFiles, SkipCounter, layout_error
from alpharefine.data.source import FrameSequence, SequenceSource
from alpharefine.errors import UsageError
from alpharefine.trackers.siamese.config import ContextConfig
from alpharefine.types import Box, Mask

_EXPECTED = "one *.json {video: {track: {frame: box}}} and <video>/<frame>.<track>.x.jpg"


class _CenteredTrack:
    """Targets in the middle of their squares.

    Args:
        sizes: N x 2, (w, h) of the target in the whole image, px.
    """

    has_masks = False

    def __init__(self, sizes: NDArray[np.float64]) -> None:
        self._sizes = sizes
        self.visible: NDArray[np.bool_] = sizes.min(1) > 0

    def target(self, t: int, height: int, width: int) -> tuple[Box, Mask | None]:
        """See `alpharefine.data.source.Track`."""
        if height != width:
            raise FrameError(f"a square is expected, not {width} x {height}")
        context = ContextConfig()
        w, h = self._sizes[t]
        scale = context.template_size / context.side(float(w), float(h))
        w, h, middle = float(w) * scale, float(h) * scale, width // 2
        return Box(middle - w / 2, middle - h / 2, w, h), None


def read_square_crops(root: Path) -> SequenceSource:
    """The layout that SiamDW's and pysot's tools write of VID, DET, COCO, YouTube-BB and others.

    A target with its context (half of width and height on each side together) fills 127 px of its
    square, whatever the square's size.

    Raises:
        UsageError: another layout.
    """
    files = sorted(root.glob("*.json"))
    if len(files) != 1:
        raise layout_error(root, f"{len(files)} .json files", "pre-cropped", _EXPECTED)
    try:
        videos = json.loads(files[0].read_text(encoding="utf-8"))
        skips = SkipCounter(root.name)
        sequences = list(_sequences(root, videos, skips))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"{files[0]}: not {_EXPECTED} ({error})") from error
    skips.report(len(sequences))
    if not sequences:
        raise layout_error(root, "no usable target", "pre-cropped", _EXPECTED)
    return SequenceSource(root.name, sequences)


def _sequences(
    root: Path, videos: Mapping[str, Mapping[str, Mapping[str, Any]]], skips: SkipCounter
) -> Iterator[FrameSequence]:
    for video, tracks in videos.items():
        for track, frames in tracks.items():
            # Some have other keys beside the frames.
            boxes = {int(frame): box for frame, box in frames.items() if frame.isdigit()}
            if not boxes:
                skips.add(f"{video}, track {track}: no frame")
                continue
            numbers = sorted(boxes)
            names = tuple(f"{n:06d}.{int(track):02d}.x.jpg" for n in numbers)
            sizes = np.array([_size(boxes[n]) for n in numbers], np.float64)
            files = FrameFiles(root / video, names)
            yield FrameSequence(f"{video}/{track}", files, _CenteredTrack(sizes))


def _size(box: list[float]) -> tuple[float, float]:
    """(w, h) of x1, y1, x2, y2, or of w, h alone."""
    if len(box) == 2:
        return box[0], box[1]
    x1, y1, x2, y2 = box
    return x2 - x1, y2 - y1
