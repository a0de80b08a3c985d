"""From the options of `arvot track` to everything that following targets needs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from alpharefine.data.frames import (
    FrameSource,
    begin_at,
    cut_off,
    files_source,
    first_frame,
    gap_notes,
    open_source,
)
from alpharefine.errors import UsageError
from alpharefine.types import Image
from vot_integration.files import absolute, check_target
from vot_integration.regions.targets import read_target
from vot_integration.sequences.frames import is_whole
from vot_integration.track.choice import Choice, choose_follower
from vot_integration.track.follow import Followed, follow
from vot_integration.track.group import Group
from vot_integration.track.outputs import BoxFiles, MaskFolder, OverlayVideo, Sink, box_paths
from vot_integration.track.target import (
    Recorded,
    Target,
    read_boxes,
    read_mask,
    select_box,
    sequence_at,
    truth_targets,
)
from vot_integration.workspaces.launch import Launch

_SHOWN = 3


@dataclass(frozen=True)
class TrackOptions:
    """Options of `arvot track`, as the user gave them.

    Attributes:
        source: video file, folder, pattern of names, address of a stream, or number of a camera.
        choice: the tracker, and how it is to run.
        boxes: targets in the first frame, each "x,y,w,h".
        mask: mask file of the first frame.
        labels: which objects of the mask; none stands for all.
        threshold: smallest gray value of the object in the mask, or None.
        select: whether the user draws the target.
        start: number of the frame to begin with, from 1.
        out: overlay to write; None for a name made of source and tracker.
        save_masks: folder for masks, or None.
        save_boxes: file for boxes, or None.
        limit: how many frames at most, or None.
    """

    source: str
    choice: Choice
    boxes: Sequence[str] = ()
    mask: Path | None = None
    labels: Sequence[int] = ()
    threshold: int | None = None
    select: bool = False
    start: int = 1
    out: Path | None = None
    save_masks: Path | None = None
    save_boxes: Path | None = None
    limit: int | None = None

    @property
    def names_target(self) -> bool:
        """Whether the user says where the targets are."""
        return bool(self.boxes) or self.mask is not None or self.select


@dataclass(frozen=True)
class TrackJob:
    """Targets to follow, checked.

    Attributes:
        group: the trackers.
        has_random_weights: whether their weights are random, not trained.
        source: where the frames come from.
        frames: from the first on.
        targets: in the first frame.
        sinks: what is to be written.
        files: where it is written to.
        limit: how many frames at most, or None.
        section: how a tracker of the user's own is registered; None for one of the catalog.
        notes: what the user should know of source and targets beforehand, a line each.
    """

    group: Group
    has_random_weights: bool
    source: FrameSource
    frames: Iterator[Image | None]
    targets: Sequence[Target]
    sinks: list[Sink]
    files: list[Path]
    limit: int | None
    section: Launch | None = None
    notes: Sequence[str] = ()

    def kept_answers(self, since: float) -> list[str]:
        """A line for each kind of answers that a tracker of the user's own did not give.

        Args:
            since: time as of `time.time` when it was started.
        """
        from vot_integration.track.own_tracker import kept_answers_of

        return [] if self.section is None else kept_answers_of(self.section, since)

    @property
    def count(self) -> int | None:
        """How many frames there are to track; None where that is not known."""
        if self.limit is None:
            return self.source.count
        return min(self.limit, self.source.count or self.limit)

    def run(self, on_frame: Callable[[int], None]) -> Followed:
        """Follow the targets to the end, and write what is found.

        Args:
            on_frame: is told how many frames are done.

        Raises:
            EvaluationError: the tracker failed.
        """
        return follow(
            self.group,
            self.frames,
            [target.shape for target in self.targets],
            self.sinks,
            limit=self.limit,
            is_live=self.source.is_live,
            on_frame=on_frame,
        )

    def flaws(self, followed: Followed) -> list[str]:
        """What was wrong with the frames, a line each."""
        lines = []
        if followed.unreadable:
            places = self._places(followed.unreadable)
            count = len(followed.unreadable)
            lines.append(f"unreadable frames: {count} ({places}); the last answer was kept")
        files = enumerate(islice(self.source.files, followed.frames))
        damaged = [
            place
            for place, file in files
            if place not in followed.unreadable and not is_whole(file)
        ]
        if damaged:
            places = self._places(damaged)
            lines.append(
                f"cut off or damaged frames: {len(damaged)} ({places}); what could be read of them "
                "was tracked in"
            )
        is_short = self.limit is None or followed.frames < self.limit
        cut = cut_off(self.source, followed.frames) if is_short else None
        if cut is not None:
            lines.append(cut)
        return lines

    def _places(self, places: Sequence[int]) -> str:
        shown = [
            str(self.source.files[place]) if self.source.files else f"frame {place + first}"
            for first in [self.source.start]
            for place in places[:_SHOWN]
        ]
        return ", ".join([*shown, *(["..."] if len(places) > _SHOWN else [])])


def prepare(options: TrackOptions) -> TrackJob:
    """Check all options and build the trackers; nothing is written yet.

    Raises:
        UsageError: an option is wrong.
    """
    if options.limit is not None and options.limit < 1:
        raise UsageError(f"--max-frames {options.limit}: give a number above 0")
    if options.start < 1:
        raise UsageError(f"--start {options.start}: give the number of a frame, from 1")
    if options.mask is None and (options.labels or options.threshold is not None):
        raise UsageError("--object and --threshold are about a mask: give --mask FILE, too")
    chosen = choose_follower(options.choice)
    if options.save_masks is not None and not chosen.answers_masks:
        raise UsageError(f"{options.choice.tracker} answers no masks: leave out --save-masks")
    sequence = sequence_at(options.source, wants_truth=not options.names_target)
    whole = (
        open_source(options.source)
        if sequence is None
        else files_source(sequence.name, sequence.frames, sequence.fps)
    )
    source = begin_at(whole, options.start)
    _check_outputs(options, source)
    image, frames = first_frame(source)
    targets, notes = _targets(options, sequence, image)
    for target in targets:
        read_target(target.shape, *image.shape[:2])
    sinks, files = _sinks(options, source, [target.name for target in targets])
    group = chosen.build_group(len(targets))
    return TrackJob(
        group,
        chosen.has_random_weights,
        source,
        frames,
        targets,
        sinks,
        files,
        options.limit,
        chosen.section,
        [*gap_notes(source.files), *notes],
    )


def _targets(
    options: TrackOptions, sequence: Recorded | None, image: Image
) -> tuple[Sequence[Target], Sequence[str]]:
    """Targets, and what to know of how they were chosen."""
    if options.boxes:
        return read_boxes(options.boxes), ()
    if options.mask is not None:
        return read_mask(options.mask, image, options.labels, options.threshold)
    if options.select:
        return [Target("1", select_box(image))], ()
    return truth_targets(sequence, options.start), ()


def _overlay(options: TrackOptions, source: FrameSource) -> Path:
    return options.out or Path(f"{source.name}-{options.choice.tracker}.mp4")


def _check_outputs(options: TrackOptions, source: FrameSource) -> None:
    """Check all that can be checked of outputs before a camera is opened."""
    check_target(_overlay(options, source), "--out")
    if options.save_boxes is not None:
        check_target(options.save_boxes, "--save-boxes")
    _sinks(options, source, ["1"])


def _sinks(
    options: TrackOptions, source: FrameSource, names: Sequence[str]
) -> tuple[list[Sink], list[Path]]:
    """What is written, and the files and folders."""
    out, start = _overlay(options, source), source.start
    sinks: list[Sink] = [OverlayVideo(out, source.fps, names, start)]
    files = [out]
    if options.save_masks is not None:
        sinks.append(MaskFolder(options.save_masks, names, start))
        files.append(options.save_masks)
    if options.save_boxes is not None:
        written = box_paths(options.save_boxes, names)
        sinks.append(BoxFiles(written))
        files += written
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
