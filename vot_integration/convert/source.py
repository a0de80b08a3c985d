"""A sequence of another format, ready to be written in VOT format."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.toolkit.regions import Region


class LeftOutError(UsageError):
    """A sequence is left out although nothing is wrong with it."""


class OneFrameError(LeftOutError):
    """A sequence has ground truth for one frame alone, as data sets that keep theirs secret."""

    def __init__(self) -> None:
        super().__init__("ground truth of one frame only, as in the test sets of GOT-10k and DAVIS")


@dataclass(frozen=True)
class SourceSequence:
    """Frames, and the target in each of them.

    Attributes:
        name: of the sequence.
        count: number of frames that have ground truth.
        region: gives the target in a frame, by its index; the toolkit's `Special` where it is
            absent. Raises UsageError where the annotation cannot be read.
        total: number of frames in the source, those without ground truth included.
        images: image files, one a frame; empty for a video.
        video: the video file, None for images.
        fps: frames a second, None where the source does not say.
        truth_size: width and height of masks, px; None for boxes.
        flaw: what is wrong with the source, although there is a sequence to write; None if nothing.
        objects: `region` of each target by its name, where several go into one sequence.
        notes: what the user should know of how it is read, a line each.
    """

    name: str
    count: int
    region: Callable[[int], Region]
    total: int
    images: Sequence[Path] = ()
    video: Path | None = None
    fps: float | None = None
    truth_size: tuple[int, int] | None = None
    flaw: str | None = None
    objects: Mapping[str, Callable[[int], Region]] = field(default_factory=dict)
    notes: Sequence[str] = ()


def join_objects(name: str, sequences: Sequence[SourceSequence]) -> SourceSequence:
    """One sequence of all targets of a source, as VOTS has them.

    Args:
        name: of the source, with which the names of the sequences begin.
        sequences: one a target, at least one.

    Raises:
        UsageError: they are not about the same frames.
    """
    first = sequences[0]
    alike = all(
        (each.count, list(each.images), each.video)
        == (first.count, list(first.images), first.video)
        for each in sequences
    )
    if not alike:
        raise UsageError("its targets have ground truth for different frames: leave out --vots")
    objects = {
        each.name.removeprefix(name).removeprefix("_") or "1": each.region for each in sequences
    }
    flaw = next((each.flaw for each in sequences if each.flaw), None)
    return replace(first, name=name, objects=objects, flaw=flaw)


@dataclass(frozen=True)
class Source:
    """A sequence of another format that was found; its annotation is not read yet.

    Attributes:
        name: of its folder or file.
        path: where it is.
        read: gives, under a name, a sequence for each of its targets. Raises UsageError where it
            cannot be used.
        is_half: whether frames or ground truth are missing, so that it cannot be.
        is_vot: whether it is in VOT format already.
        truth: its files of boxes, where they lie with those of other sequences.
    """

    name: str
    path: Path
    read: Callable[[str], Iterable[SourceSequence]]
    is_half: bool = False
    is_vot: bool = False
    truth: Sequence[Path] = ()


@dataclass(frozen=True)
class ConvertOptions:
    """What the user says about a source; None leaves it to the source.

    Attributes:
        masks: folder of masks, one a frame.
        boxes: file of boxes, one a line.
        name: of the sequence, for a source that is one.
        label: which object of label maps; None is each of them.
        threshold: smallest gray value of masks that show one object; None leaves it to them.
        start: number of the frame, from 1, that the first line of `boxes` belongs to; None is the
            first, with a line for each frame.
        fps: frames a second.
        link: refer to image files in place of copying them.
        together: write all targets of a source into one sequence, as VOTS has them.
    """

    masks: Path | None = None
    boxes: Path | None = None
    name: str | None = None
    label: int | None = None
    fps: float | None = None
    link: bool = False
    threshold: int | None = None
    start: int | None = None
    together: bool = False
