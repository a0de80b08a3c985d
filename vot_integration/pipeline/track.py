"""From the options of `arvot track` to everything that following a target needs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.frames import FrameSource, files_source, first_frame, open_source
from alpharefine.errors import UsageError
from alpharefine.types import Image
from vot_integration.files import absolute, check_target
from vot_integration.regions.shapes import Shape
from vot_integration.regions.targets import read_target
from vot_integration.sequences.folder import SequenceFolder
from vot_integration.track.choice import Choice, choose_follower
from vot_integration.track.follow import Followed, follow
from vot_integration.track.follower import Follower
from vot_integration.track.outputs import BoxFile, MaskFolder, OverlayVideo, Sink
from vot_integration.track.target import (
    first_truth,
    parse_box,
    read_mask,
    select_box,
    sequence_at,
)


@dataclass(frozen=True)
class TrackOptions:
    """Options of `arvot track`, as the user gave them.

    Attributes:
        source: video file, folder, or number of a camera.
        choice: the tracker, and how it is to run.
        box: target in the first frame, "x,y,w,h".
        mask: mask file of the first frame.
        label: which object of the mask, or None.
        threshold: smallest gray value of the object in the mask, or None.
        select: whether the user draws the target.
        out: overlay to write; None for a name made of source and tracker.
        masks: folder for masks, or None.
        boxes: file for boxes, or None.
        limit: how many frames at most, or None.
    """

    source: str
    choice: Choice
    box: str | None = None
    mask: Path | None = None
    label: int | None = None
    threshold: int | None = None
    select: bool = False
    out: Path | None = None
    masks: Path | None = None
    boxes: Path | None = None
    limit: int | None = None


@dataclass(frozen=True)
class TrackJob:
    """A target to follow, checked.

    Attributes:
        follower: the tracker.
        has_random_weights: whether they are random, not trained.
        frames: from the first on.
        count: how many there are, None where that is not known.
        is_live: whether they come from a camera.
        target: in the first frame.
        sinks: what is to be written.
        files: where it is written to.
        limit: how many frames at most, or None.
    """

    follower: Follower
    has_random_weights: bool
    frames: Iterator[Image | None]
    count: int | None
    is_live: bool
    target: Shape
    sinks: list[Sink]
    files: list[Path]
    limit: int | None

    def run(self, on_frame: Callable[[int], None]) -> Followed:
        """Follow the target to the end, and write what is found.

        Args:
            on_frame: is told how many frames are done.

        Raises:
            EvaluationError: the tracker failed.
        """
        return follow(
            self.follower,
            self.frames,
            self.target,
            self.sinks,
            limit=self.limit,
            is_live=self.is_live,
            on_frame=on_frame,
        )


def prepare(options: TrackOptions) -> TrackJob:
    """Check all options and build the tracker; nothing is written yet.

    Raises:
        UsageError: an option is wrong.
    """
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--max-frames {options.limit}: give a number above 0")
    if options.mask is None and not (options.label is None and options.threshold is None):
        raise UsageError("--object and --threshold are about a mask: give --mask FILE, too")
    chosen = choose_follower(options.choice)
    if options.masks is not None and not chosen.answers_masks:
        raise UsageError(f"{options.choice.tracker} answers no masks: leave out --save-masks")
    sequence = sequence_at(options.source)
    source = (
        open_source(options.source)
        if sequence is None
        else files_source(sequence.name, sequence.frames, float(sequence.fps))
    )
    sinks, files = _sinks(options, source)
    image, frames = first_frame(source)
    target = _target(options, sequence, image)
    read_target(target, *image.shape[:2])
    count = source.count
    if options.limit is not None:
        count = min(options.limit, count or options.limit)
    return TrackJob(
        chosen.build(),
        chosen.has_random_weights,
        frames,
        count,
        source.is_live,
        target,
        sinks,
        files,
        options.limit,
    )


def _target(options: TrackOptions, sequence: SequenceFolder | None, image: Image) -> Shape:
    if options.box is not None:
        return parse_box(options.box)
    if options.mask is not None:
        return read_mask(options.mask, image, options.label, options.threshold)
    return select_box(image) if options.select else first_truth(sequence)


def _sinks(options: TrackOptions, source: FrameSource) -> tuple[list[Sink], list[Path]]:
    out = options.out or Path(f"{source.name}-{options.choice.tracker}.mp4")
    check_target(out, "--out")
    sinks: list[Sink] = [OverlayVideo(out, source.fps)]
    files = [out]
    if options.masks is not None:
        sinks.append(MaskFolder(options.masks))
        files.append(options.masks)
    if options.boxes is not None:
        check_target(options.boxes, "--save-boxes")
        sinks.append(BoxFile(options.boxes))
        files.append(options.boxes)
    _check_apart(files, options)
    return sinks, files


def _check_apart(files: Sequence[Path], options: TrackOptions) -> None:
    """No output may replace what is read, or another output."""
    taken = {absolute(Path(options.source)): "the source"}
    if options.mask is not None:
        taken[absolute(options.mask)] = "--mask"
    for file in files:
        place = absolute(file)
        if place in taken:
            raise UsageError(f"{file} would replace {taken[place]}: name another file")
        taken[place] = "another output"
