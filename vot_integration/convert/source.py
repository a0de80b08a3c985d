"""A sequence of another format, ready to be written in VOT format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vot_integration.groundtruth import Region


@dataclass(frozen=True)
class SourceSequence:
    """Frames, and the target in each of them.

    Attributes:
        name: of the sequence.
        count: number of frames.
        region: gives the target in a frame, by its index; the toolkit's `Special` where it is
            absent. Raises UsageError where the annotation cannot be read.
        images: image files, one a frame; empty for a video.
        video: the video file, None for images.
        fps: frames a second, None where the source does not say.
    """

    name: str
    count: int
    region: Callable[[int], Region]
    images: Sequence[Path] = ()
    video: Path | None = None
    fps: float | None = None


@dataclass(frozen=True)
class ConvertOptions:
    """What the user says about a source; None leaves it to the source.

    Attributes:
        masks: folder of masks, one a frame.
        boxes: file of boxes, one a line.
        name: of the sequence, for a source that is one.
        label: which object of label maps; None is each of them.
        fps: frames a second.
        link: refer to image files in place of copying them.
    """

    masks: Path | None = None
    boxes: Path | None = None
    name: str | None = None
    label: int | None = None
    fps: float | None = None
    link: bool = False
