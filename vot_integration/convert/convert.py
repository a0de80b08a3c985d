"""From any source to a folder of VOT sequences."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from alpharefine.errors import UsageError
from alpharefine.trackers.base import Image
from vot_integration.convert.layouts import find_sequences
from vot_integration.convert.source import ConvertOptions, SourceSequence
from vot_integration.convert.video import video_frames
from vot_integration.frames import read_frame
from vot_integration.vot_folder import (
    LIST_FILE,
    check_starts,
    is_in_image,
    read_list,
    read_sequence_folder,
    write_list,
)
from vot_integration.vot_writer import NewFrame, SequenceFormat, write_frames

_NAME = re.compile(r"[\w][\w .+-]*")
_DEFAULT_FPS = 30
_SHORTEST = 2

_KEPT_SUFFIXES = {".jpg": ".jpg", ".jpeg": ".jpg", ".png": ".png"}
"""Image files that the toolkit reads as they are; all others are written anew, without loss."""

Progress = Callable[[str, int, int], None]
"""Is told the sequence, how many of its frames are done, and how many there are."""


def convert(
    source: Path,
    destination: Path,
    options: ConvertOptions,
    on_progress: Progress = lambda name, done, total: None,
) -> list[Path]:
    """Write the sequences of a source into a folder for `arvot run --sequences`.

    Frames before the target first appears are left out: runs start in the first frame.

    Args:
        source: see `vot_integration.convert.layouts.find_sequences`.
        destination: made if need be; sequences that are in it stay.
        options: what the user says about the source.
        on_progress: is told how far it is.

    Returns:
        Folders of the new sequences.

    Raises:
        UsageError: the source is not understood, or a sequence of a name is there already. The
            destination is as it was then.
    """
    sequences = find_sequences(source, options)
    listed = _listed(destination)
    _check_names(sequences, destination)
    made_here = not destination.exists()
    destination.mkdir(parents=True, exist_ok=True)
    new = [destination / sequence.name for sequence in sequences]
    try:
        for sequence, path in zip(sequences, new, strict=True):
            _write(sequence, path, options, on_progress)
            check_starts(read_sequence_folder(path))
    except BaseException:
        for path in [*new, *([destination] if made_here else [])]:
            shutil.rmtree(path, ignore_errors=True)
        raise
    write_list(destination, [*listed, *(path.name for path in new)])
    return new


def _listed(destination: Path) -> list[str]:
    """Lines of the list that is there, after it was found to be one."""
    file = destination / LIST_FILE
    if not file.is_file():
        return []
    read_list(destination)
    return [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]


def _check_names(sequences: Sequence[SourceSequence], destination: Path) -> None:
    names = [sequence.name for sequence in sequences]
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot be a sequence's name: give another one with --name")
        if names.count(name) > 1:
            raise UsageError(f"two sequences of the source are called {name!r}: convert them apart")
        if (destination / name).exists():
            raise UsageError(f"{destination / name} is there already: delete it, or give --name")


def _write(
    sequence: SourceSequence, path: Path, options: ConvertOptions, on_progress: Progress
) -> None:
    # Annotations are read first: a bad one is found before any frame is written.
    regions = [sequence.region(index) for index in range(sequence.count)]
    start = next((index for index, region in enumerate(regions) if not region.is_empty()), None)
    if start is None or sequence.count - start < _SHORTEST:
        raise UsageError(f"{sequence.name}: the target is in no frame but the last; nothing to do")
    suffix, size, pictures = _pictures(sequence, start)

    def frames() -> Iterator[NewFrame]:
        total = sequence.count - start
        for done, (picture, region) in enumerate(zip(pictures, regions[start:], strict=True), 1):
            yield NewFrame(picture, region, is_in_image(region, size))
            on_progress(sequence.name, done, total)

    fps = round(options.fps or sequence.fps or _DEFAULT_FPS)
    write_frames(path, frames(), SequenceFormat(size, max(fps, 1), suffix, options.link))


def _pictures(
    sequence: SourceSequence, start: int
) -> tuple[str, tuple[int, int], Iterator[Image | Path]]:
    """Suffix of the files to write, width and height, and the pictures from `start` on."""
    if sequence.video is not None:
        first = next(video_frames(sequence.video))
        height, width = first.shape[:2]
        return ".jpg", (width, height), islice(video_frames(sequence.video), start, sequence.count)
    images = sequence.images[start:]
    height, width = _read(images[0]).shape[:2]
    kept = {_KEPT_SUFFIXES.get(path.suffix.lower()) for path in images}
    if len(kept) == 1 and None not in kept:
        return str(kept.pop()), (width, height), iter(images)
    return ".png", (width, height), map(_read, images)


def _read(path: Path) -> Image:
    image = read_frame(str(path))
    if image is None:
        raise UsageError(f"{path} cannot be read as an image: replace it")
    return image
