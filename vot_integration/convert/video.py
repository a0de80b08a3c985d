"""Video files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alpharefine.data.frames import cut_off, open_source
from alpharefine.errors import UsageError
from vot_integration.convert.boxes import place_track, read_track
from vot_integration.convert.masks import choose_folders, list_masks, masked_sequences
from vot_integration.convert.source import ConvertOptions, SourceSequence


def read_video(file: Path, options: ConvertOptions, name: str) -> Iterator[SourceSequence]:
    """The sequences of a video: one, or one for each object of its masks.

    Args:
        file: the video.
        options: say where the target is; masks are one a frame, in the order of their names.
        name: of the sequence, which that of an object is made of where there are several.

    Raises:
        UsageError: it cannot be read, or there is not one annotation a frame.
    """
    count, fps, flaw = _look_through(file)
    if options.boxes is not None:
        read = read_track(options.boxes)
        found, region = place_track(
            read, options.boxes, f"frames of {file}", count, options.start, flaw
        )
        yield SourceSequence(name, found, region, count, video=file, fps=fps, flaw=flaw)
    elif options.masks is not None:
        for target, inner in choose_folders(options.masks, options.label):
            masks = list_masks(inner)
            if len(masks) != count:
                frames = flaw or f"{file} has {count} frames"
                raise UsageError(f"{inner} has {len(masks)} masks, but {frames}")
            asked = options if target is None else replace(options, label=None)
            named = name if target is None else f"{name}_{target}"
            for sequence in masked_sequences(named, masks, asked):
                yield replace(sequence, video=file, fps=fps, flaw=flaw)
    else:
        raise UsageError(
            f"{file} is a video: say where the target is in its {count} frames, with --masks DIR "
            "or --boxes FILE; `arvot track` follows it without"
        )


def _look_through(file: Path) -> tuple[int, float | None, str | None]:
    """Number of frames, counted; frames a second, if it says so; what is wrong with the file."""
    source = open_source(file)
    count = sum(1 for _ in source.frames())
    if count == 0:
        raise UsageError(f"{file} has no frame that OpenCV can read")
    return count, source.stated_fps, cut_off(source, count)
