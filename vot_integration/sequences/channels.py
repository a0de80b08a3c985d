"""Frames of a sequence in VOT format: files of the channels that its `sequence` file names."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from alpharefine.errors import UsageError

COLOR_PATTERN = "color/%08d.jpg"
_FRAME_PATTERN = re.compile(r"[^%]*%(0?[1-9]\d?)?d[^%]*\.(jpg|png)")

_KEY = "channels."
_FURTHER = ("depth", "ir")
"""Channels that the toolkit reads besides color."""


def find_frames(path: Path, properties: Mapping[str, str]) -> tuple[Path, ...]:
    """Files of the color channel of a sequence, in order.

    Raises:
        UsageError: there is no such channel, its name is refused, or a file is missing.
    """
    others = [key.removeprefix(_KEY) for key in properties if key.startswith(_KEY)]
    has_color = (path / (COLOR_PATTERN % 1)).is_file()
    # The toolkit passes over channels of other names, and looks for color then.
    is_odd = not has_color or any(channel in _FURTHER for channel in others)
    if others and "color" not in others and is_odd:
        if has_color:
            remedy = f"add the line {_KEY}color={COLOR_PATTERN} to it"
        else:
            remedy = (
                f"trackers here take color images; name such a channel {_KEY}color, or leave the "
                "sequence out of list.txt"
            )
        raise UsageError(
            f"{path} has no color channel, only {' and '.join(others)} in `sequence`: {remedy}"
        )
    pattern = _frame_pattern(path, "color", properties.get(f"{_KEY}color", COLOR_PATTERN))
    if "length" in properties:
        length = positive_integer(path, properties, "length", 0)
    else:
        length = 0
        while (path / (pattern % (length + 1))).is_file():
            length += 1
    # A length that is far too large ends here, before a list of that length is made.
    numbers = range(1, max(length, 1) + 1)
    missing = next((f for n in numbers if not (f := path / (pattern % n)).is_file()), None)
    if missing is not None:
        raise UsageError(
            f"{path}: frame {missing} is missing; frames are numbered from 1"
            + (f" to the length of {length} in `sequence`" if length else "")
        )
    return tuple(path / (pattern % number) for number in numbers)


def check_channels(path: Path, properties: Mapping[str, str], length: int) -> None:
    """Check the frames of depth and infrared, which the toolkit wants, too, where they are named.

    Raises:
        UsageError: one is missing, or the pattern of their names is refused.
    """
    for channel in _FURTHER:
        name = properties.get(f"{_KEY}{channel}")
        if name is None:
            continue
        pattern = _frame_pattern(path, channel, name)
        lost = next(
            (f for n in range(length) if not (f := path / (pattern % (n + 1))).is_file()), 0
        )
        if lost:
            raise UsageError(
                f"{path}: {lost} of the channel {channel!r} is missing: add it, or take the line "
                f"{_KEY}{channel} out of `sequence`; trackers here see the color channel alone"
            )


def _frame_pattern(path: Path, channel: str, pattern: str) -> str:
    """Pattern of a channel's files, relative to the sequence.

    Raises:
        UsageError: it leads out of the sequence, or is no pattern of images.
    """
    if Path(pattern).suffix == "":
        pattern = f"{pattern.rstrip('/')}/%08d.jpg"
    if leads_out(pattern) or not _FRAME_PATTERN.fullmatch(pattern):
        shown = pattern[:80] if pattern.isprintable() else repr(pattern[:80])
        raise UsageError(
            f"{path}: {_KEY}{channel}={shown} is refused; write a .jpg or .png name with a "
            f"number inside the sequence folder, such as {COLOR_PATTERN}"
        )
    return pattern


def leads_out(name: str) -> bool:
    """Whether a name in a `sequence` file is not that of a file in its folder."""
    is_plain = name.isprintable() and len(os.fsencode(name)) < 256
    return not is_plain or Path(name).is_absolute() or ".." in Path(name).parts


def positive_integer(path: Path, properties: Mapping[str, str], key: str, default: int) -> int:
    """A property as a whole number above 0.

    Raises:
        UsageError: it is none.
    """
    text = properties.get(key, str(default))
    value = int(text) if text.isdecimal() and len(text) < 10 else 0
    if value < 1:
        text = text[:80] if text.isprintable() else repr(text[:80])
        raise UsageError(f"{path}: {key}={text} in `sequence` must be a whole number above 0")
    return value
