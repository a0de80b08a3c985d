"""From any source to a folder of VOT sequences."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from alpharefine.data.captures import video_frames
from alpharefine.errors import UsageError
from alpharefine.types import Image
from vot_integration.convert.destination import Destination, open_destination
from vot_integration.convert.layouts import find_sources
from vot_integration.convert.outcome import Conversion, Skipped, Written
from vot_integration.convert.rate import WholeRate, whole_rate
from vot_integration.convert.source import (
    ConvertOptions,
    LeftOutError,
    Source,
    SourceSequence,
    join_objects,
)
from vot_integration.sequences.checks import check_starts, is_in_image
from vot_integration.sequences.folder import LIST_FILE, counted, read_sequence_folder
from vot_integration.sequences.frames import check_images, read_picture
from vot_integration.sequences.writer import NewFrame, SequenceFormat, write_frames

_NAME = re.compile(r"\w([\w .+-]*[\w.+-])?")
_LONGEST_NAME = 200
"""Bytes; file systems allow 255, and drafts have longer names than what they become."""

_SHORTEST = 2
_SHOWN_REASONS = 3

_KEPT_SUFFIXES = {".jpg": ".jpg", ".jpeg": ".jpg", ".png": ".png"}
"""Image files that the toolkit reads as they are; all others are written anew, without loss."""


@dataclass(frozen=True)
class Watcher:
    """Is told how far a conversion is.

    Attributes:
        on_frame: the sequence, how many of its frames are done, and how many there are.
        on_written: a sequence that is finished.
    """

    on_frame: Callable[[str, int, int], None] = lambda name, done, total: None
    on_written: Callable[[Written], None] = lambda written: None


_NOBODY = Watcher()


def convert(
    source: Path, destination: Path, options: ConvertOptions, watcher: Watcher = _NOBODY
) -> Conversion:
    """Write the sequences of a source into a folder for `arvot run --sequences`.

    Frames before the target first appears are left out: runs start in the first frame. Each
    sequence is there whole or not at all, and a conversion that was interrupted goes on where it
    was: sequences that are in the destination stay as they are.

    Args:
        source: see `vot_integration.convert.layouts.find_sources`.
        destination: made if need be.
        options: what the user says about the source.
        watcher: is told how far it is.

    Returns:
        What was written, what was there already, at least one sequence of both, and what was not
        written, and why.

    Raises:
        UsageError: the source is not understood, the destination cannot be written to, or there is
            no sequence to write; the destination is as it was then, but for the sequences that
            were finished before the disk was full.
    """
    sources = find_sources(source, options)
    with open_destination(destination, source) as target:
        work = _Work(target, options, watcher)
        for found in sources:
            work.add_source(found)
    done = Conversion(work.written, work.kept, work.skipped)
    if not done.written and not done.kept:
        raise _nothing_written(done, source)
    return done


def _nothing_written(done: Conversion, source: Path) -> UsageError:
    if len(done.skipped) == 1:
        reason = done.skipped[0].reason
        return UsageError(reason if str(source) in reason else f"{source}: {reason}")
    lines = done.left_out()
    more = ["..."] if len(lines) > _SHOWN_REASONS else []
    return UsageError(f"nothing to write: {'; '.join([*lines[:_SHOWN_REASONS], *more])}")


@dataclass
class _Work:
    """A conversion under way."""

    destination: Destination
    options: ConvertOptions
    watcher: Watcher
    written: list[Written] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def add_source(self, found: Source) -> None:
        """Write the sequences of one folder or file; what is wrong with it stops no other."""
        try:
            sequences = list(found.read(found.name))
            if self.options.together and sequences:
                sequences = [join_objects(found.name, sequences)]
        except LeftOutError as error:
            self.skipped.append(Skipped(found.name, str(error), is_flaw=False))
        except UsageError as error:
            self.skipped.append(Skipped(found.name, str(error)))
        except OSError as error:
            reason = f"{error.filename} cannot be read: {error.strerror}"
            self.skipped.append(Skipped(found.name, reason))
        else:
            for sequence in sequences:
                self._add(sequence)

    def _add(self, sequence: SourceSequence) -> None:
        name = sequence.name
        try:
            notes = []
            if self.options.name is None and not _NAME.fullmatch(name):
                name = _fitting_name(name)
                notes = [
                    f"{sequence.name!r} holds characters that no sequence can: {name!r} is written"
                ]
                sequence = replace(sequence, name=name)
            _check_name(name)
            if any(written.path.name == name for written in self.written):
                raise UsageError("another sequence of the source has this name")
            if self.destination.has(name):
                self.kept.append(name)
                return
            written = self._write(sequence, notes)
        except UsageError as error:
            self.skipped.append(Skipped(name, str(error)))
        except OSError as error:
            # A full disk for instance, where the next sequence would end as well.
            raise UsageError(
                f"{self.destination.folder / name} cannot be written ({error.strerror or error}): "
                f"the same command goes on when that is mended, {counted(len(self.written))} done"
            ) from error
        else:
            self.written.append(written)
            self.watcher.on_written(written)

    def _write(self, sequence: SourceSequence, notes: Sequence[str]) -> Written:
        path = self.destination.folder / sequence.name
        rate = (
            WholeRate(round(self.options.fps))
            if self.options.fps
            else whole_rate(sequence.fps, _place(sequence))
        )
        frames = _write_sequence(sequence, path, self.options, rate.fps, self.watcher)
        try:
            check_starts(read_sequence_folder(path, several=True))
            self.destination.add(sequence.name)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        notes = [*notes, *sequence.notes, *([rate.note] if rate.note else [])]
        return Written(path, frames, sequence.total, notes, sequence.flaw)


def _fitting_name(name: str) -> str:
    """A name that a sequence can have, as like to another one as can be."""
    fitting = re.sub(r"[^\w .+-]", "_", name)
    return re.sub(r"^\W|\s$", "_", fitting)


def _check_name(name: str) -> None:
    is_short = len(os.fsencode(name)) <= _LONGEST_NAME
    if not _NAME.fullmatch(name) or not is_short or name == LIST_FILE:
        raise UsageError(
            f"{name[:80]!r} cannot be a sequence's name: give another one with --name, or rename "
            "what it is taken from"
        )


def _write_sequence(
    sequence: SourceSequence, path: Path, options: ConvertOptions, fps: int, watcher: Watcher
) -> int:
    """Write a sequence, and say how many frames it has."""
    # All that may be wrong is looked at before a frame is written.
    check_images(sequence.images)
    size = _size(sequence)
    if sequence.truth_size not in (None, size):
        masks, frames = ("{} x {}".format(*s) for s in (sequence.truth_size, size))
        raise UsageError(
            f"{_place(sequence)}: the masks have {masks} pixels but the frames {frames}: give "
            "masks of the frames' size"
        )
    tracks = {
        name: [region(index) for index in range(sequence.count)]
        for name, region in (sequence.objects or {"": sequence.region}).items()
    }
    targets = list(zip(*tracks.values(), strict=True))
    seen = (
        index
        for index, regions in enumerate(targets)
        if any(is_in_image(region, size) for region in regions)
    )
    start = next(seen, sequence.count)
    total = sequence.count - start
    if total < _SHORTEST:
        raise UsageError(
            f"{_place(sequence)}: the target is in no frame, or in the last alone; at least two "
            "frames are needed from where it appears"
        )
    suffix, pictures = _pictures(sequence, start)

    def new_frames() -> Iterator[NewFrame]:
        for done, (picture, regions) in enumerate(zip(pictures, targets[start:], strict=True), 1):
            objects = dict(zip(tracks, regions, strict=True)) if sequence.objects else {}
            yield NewFrame(picture, regions[0], is_in_image(regions[0], size), objects)
            watcher.on_frame(sequence.name, done, total)

    write_frames(path, new_frames(), SequenceFormat(size, fps, suffix, options.link))
    return total


def _place(sequence: SourceSequence) -> Path:
    """Where the frames are."""
    return sequence.video or sequence.images[0].parent


def _size(sequence: SourceSequence) -> tuple[int, int]:
    """Width and height of the frames, px."""
    if sequence.video is not None:
        first = next(video_frames(sequence.video))
    else:
        first = read_picture(sequence.images[0])
    return first.shape[1], first.shape[0]


def _pictures(sequence: SourceSequence, start: int) -> tuple[str, Iterator[Image | Path]]:
    """Suffix of the files to write, and the pictures from frame `start` on."""
    if sequence.video is not None:
        return ".jpg", islice(video_frames(sequence.video), start, sequence.count)
    images = sequence.images[start:]
    kept = {_KEPT_SUFFIXES.get(path.suffix.lower()) for path in images}
    if len(kept) == 1 and None not in kept:
        return str(kept.pop()), iter(images)
    return ".png", map(read_picture, images)
