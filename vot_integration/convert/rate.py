"""Frames a second, as the user or a data set says."""

import math
import re
from pathlib import Path

from alpharefine.data.images import FrameError
from alpharefine.data.text import read_text
from alpharefine.errors import UsageError

DEFAULT_FPS = 30

_HIGHEST_FPS = 1000


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


def read_rate(file: Path, key: str) -> float | None:
    """Read frames a second from a file of lines such as `anno_fps: 10Hz`.

    Returns:
        None where there is no such file, or no line of that key in it.

    Raises:
        UsageError: the file cannot be read, or the value is not a rate.
    """
    if not file.is_file():
        return None
    try:
        text = read_text(file)
    except FrameError as error:
        raise UsageError(f"{error}, or give --fps") from error
    line = re.search(rf"^\s*{re.escape(key)}\s*[:=](.*)$", text, re.MULTILINE)
    if line is None:
        return None
    value = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:hz|fps)?", line[1].strip(), re.IGNORECASE)
    if value is None or not is_rate(float(value[1])):
        raise UsageError(
            f"{file} says {key}: {line[1].strip()[:40]}: write a number such as 10Hz, or give --fps"
        )
    return float(value[1])
