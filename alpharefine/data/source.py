"""What every data set looks like to the sampler: sequences of frames with one target each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError, FrameFiles, read_image
from alpharefine.types import Box, Image, Mask


@dataclass(frozen=True)
class TrainFrame:
    """One frame with its annotated target.

    Attributes:
        image: H x W x 3 RGB uint8.
        box: target box in image pixels; the tight box of `mask` when there is one.
        mask: visible part of the target, H x W in {0, 1}, or None for box-only data.
    """

    image: Image
    box: Box
    mask: Mask | None


@dataclass(frozen=True)
class SequenceInfo:
    """What is known of a sequence without reading its images.

    Attributes:
        name: for messages.
        visible: bool per frame, False where the target is absent, hidden or not annotated.
        has_masks: whether frames come with masks.
    """

    name: str
    visible: NDArray[np.bool_]
    has_masks: bool

    def __len__(self) -> int:
        """Number of frames; a still image is a sequence of one."""
        return int(self.visible.size)


class VideoSource(Protocol):
    """A data set: sequences of frames, each following one target. Picklable."""

    name: str

    def __len__(self) -> int:
        """Number of sequences (targets, not files)."""
        ...

    def sequence(self, index: int) -> SequenceInfo:
        """Facts about sequence `index`."""
        ...

    def frame(self, index: int, t: int) -> TrainFrame:
        """Read frame `t` of sequence `index`.

        Raises:
            FrameError: the image or annotation is missing, broken or shows no target.
        """
        ...


class Track(Protocol):
    """Annotation of one target over the frames of a sequence. Picklable."""

    has_masks: bool
    visible: NDArray[np.bool_]

    def target(self, t: int, height: int, width: int) -> tuple[Box, Mask | None]:
        """Box and mask in frame `t`, an image of height x width px.

        Raises:
            FrameError: the annotation is missing, broken or empty.
        """
        ...


class BoxTrack:
    """Boxes (N x 4: x, y, w, h in px), absent where not finite, empty or marked invisible."""

    has_masks = False

    def __init__(
        self, boxes: NDArray[np.float32], visible: NDArray[np.bool_] | None = None
    ) -> None:
        self._boxes = boxes
        sides = boxes[:, 2:].min(axis=1)
        present: NDArray[np.bool_] = np.asarray(np.isfinite(boxes).all(axis=1) & (sides > 0))
        self.visible: NDArray[np.bool_] = present if visible is None else present & visible

    def target(self, t: int, height: int, width: int) -> tuple[Box, Mask | None]:
        """See `Track`: the box is clipped to the image."""
        x, y, w, h = (float(v) for v in self._boxes[t])
        x1, y1 = max(x, 0.0), max(y, 0.0)
        box = Box(x1, y1, min(x + w, float(width)) - x1, min(y + h, float(height)) - y1)
        if not box.is_valid:
            raise FrameError(f"box {(x, y, w, h)} lies outside the {width} x {height} image")
        return box, None


@dataclass(frozen=True)
class FrameSequence:
    """Image files and the track of one target in them, index by index."""

    name: str
    frames: FrameFiles
    track: Track


class SequenceSource:
    """A `VideoSource` over sequences of image files.

    Args:
        name: for messages and sampling weights.
        sequences: one per target.
    """

    def __init__(self, name: str, sequences: Sequence[FrameSequence]) -> None:
        self.name = name
        self._sequences = sequences

    def __len__(self) -> int:
        """Number of targets."""
        return len(self._sequences)

    def sequence(self, index: int) -> SequenceInfo:
        """See `VideoSource`."""
        item = self._sequences[index]
        return SequenceInfo(item.name, item.track.visible, item.track.has_masks)

    def frame(self, index: int, t: int) -> TrainFrame:
        """See `VideoSource`."""
        item = self._sequences[index]
        image = read_image(item.frames[t])
        box, mask = item.track.target(t, *image.shape[:2])
        return TrainFrame(image, box, mask)
