"""Video files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2

from alpharefine.data.frames import video_frames
from alpharefine.errors import UsageError
from vot_integration.convert.boxes import read_track
from vot_integration.convert.masks import choose_folders, list_masks, masked_sequences
from vot_integration.convert.rate import is_rate
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
    count, fps = _count_frames(file)
    if options.boxes is not None:
        found, region = read_track(options.boxes)
        _check_count(options.boxes, "boxes", found, file, count)
        yield SourceSequence(name, count, region, count, video=file, fps=fps)
    elif options.masks is not None:
        for target, inner in choose_folders(options.masks, options.label):
            masks = list_masks(inner)
            _check_count(inner, "masks", len(masks), file, count)
            asked = options if target is None else replace(options, label=None)
            named = name if target is None else f"{name}_{target}"
            for sequence in masked_sequences(named, masks, asked):
                yield replace(sequence, video=file, fps=fps)
    else:
        raise UsageError(
            f"{file} is a video: say where the target is in its {count} frames, with --masks DIR "
            "or --boxes FILE; `arvot track` follows it without"
        )


def _count_frames(file: Path) -> tuple[int, float | None]:
    """Number of frames, counted: what a file says of itself may be wrong; and frames a second."""
    count = sum(1 for _ in video_frames(file))
    if count == 0:
        raise UsageError(f"{file} has no frame that OpenCV can read")
    video = cv2.VideoCapture(str(file))
    fps = float(video.get(cv2.CAP_PROP_FPS))
    video.release()
    return count, fps if is_rate(fps) else None


def _check_count(source: Path, what: str, found: int, file: Path, frames: int) -> None:
    if found != frames:
        raise UsageError(f"{source} has {found} {what}, but {file} has {frames} frames")
