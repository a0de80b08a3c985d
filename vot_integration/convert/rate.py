"""Frames a second, as the user or a data set says."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from alpharefine.data.images import FrameError
from alpharefine.data.text import read_text
from alpharefine.errors import UsageError

DEFAULT_FPS = 30

_HIGHEST_FPS = 1000
_CLOSE = 0.05
"""Share of a rate by which rounding may change it: 29.97 or 12.5 is no news."""


def is_rate(fps: float) -> bool:
    """Whether a number can be frames a second of a sequence, 1 to 1000."""
    return math.isfinite(fps) and 1 <= fps <= _HIGHEST_FPS


def check_rate(fps: float | None) -> None:
    """Check what --fps says.

    Raises:
        UsageError: it is no number of frames a second.
    """
    if fps is not None and not is_rate(fps):
        raise UsageError(f"--fps {fps:g}: give frames a second, 1 to {_HIGHEST_FPS}")


@dataclass(frozen=True)
class WholeRate:
    """Frames a second as a `sequence` file can hold them.

    Attributes:
        fps: a whole number, 1 or more.
        note: what the user should know of it; None where it is close to what the source says.
    """

    fps: int
    note: str | None = None


def whole_rate(fps: float | None, source: Path) -> WholeRate:
    """What to write for the frames a second of a source.

    Args:
        fps: as the source says; None where it does not.
        source: for the note.
    """
    if fps is None:
        return WholeRate(DEFAULT_FPS)
    if not (math.isfinite(fps) and 0 < fps <= _HIGHEST_FPS):
        return WholeRate(
            DEFAULT_FPS,
            f"{source} says {fps:g} frames a second, which cannot be: {DEFAULT_FPS} is written, "
            "--fps says otherwise",
        )
    whole = max(1, round(fps))
    if abs(whole - fps) <= _CLOSE * fps:
        return WholeRate(whole)
    return WholeRate(
        whole,
        f"{source} has {fps:g} frames a second, and a sequence a whole number of them: {whole} is "
        "written, --fps says otherwise",
    )


def read_rate(file: Path, key: str) -> float | None:
    """Read frames a second from a file of lines such as `anno_fps: 10Hz`.

    Returns:
        None where there is no such file.

    Raises:
        UsageError: the file cannot be read, has no line of that key, or the value is not a rate.
    """
    if not file.is_file():
        return None
    try:
        text = read_text(file)
    except FrameError as error:
        raise UsageError(f"{error}, or give --fps") from error
    line = re.search(rf"^\s*{re.escape(key)}\s*[:=](.*)$", text, re.MULTILINE)
    if line is None:
        raise UsageError(f"{file} has no line {key}: write one such as {key}: 10Hz, or give --fps")
    value = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:hz|fps)?", line[1].strip(), re.IGNORECASE)
    if value is None or not is_rate(float(value[1])):
        raise UsageError(
            f"{file} says {key}: {line[1].strip()[:40]}: write a number such as 10Hz, or give --fps"
        )
    return float(value[1])
