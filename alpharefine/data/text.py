"""Text files as people and programs write them: any encoding, any line end, comments."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from alpharefine.data.images import FrameError

NUMBER_COMMENTS = ("#", "//", "%")
"""What comments begin with in files of numbers: of NumPy and scripts, of C, of MATLAB."""

NAME_COMMENTS = ("#",)
"""The same in files of names, in which a percent sign may be part of one."""

LATIN = "latin-1"
"""Of what is in no Unicode encoding: every byte is a character in it."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark it begins with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and what they stand for (Unicode Standard, section 23.8)."""

# \r\r\n is what transfers in text mode make of Windows' line ends.
_LINE_END = re.compile(r"\r*\n|\r")
_NOT_TEXT = re.compile(r"[\0-\x08\x0e-\x19\x1b-\x1f\x7f]")
BYTE_ORDER_MARK = "\ufeff"
_END_OF_FILE = "\x1a"
"""Ctrl-Z, with which DOS programs end a text."""


def detect_encoding(content: bytes) -> str:
    """The encoding of a text: that of its byte order mark, or what its bytes fit.

    Without a mark, zero bytes at every other place are UTF-16 (as of ASCII), what is valid UTF-8 is
    UTF-8, and all else is Latin-1.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    for place, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = content[place::2].count(0)
        if zeros and zeros > 0.9 * len(content[place::2]) and not content[1 - place :: 2].count(0):
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return LATIN
    return "utf-8"


def read_text(path: Path) -> str:
    r"""Read a text file in any usual encoding; lines end with \n.

    Raises:
        FrameError: the file is missing, or not text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FrameError(f"{path}: missing or not readable ({error.strerror})") from error
    try:
        text = content.decode(detect_encoding(content))
    except UnicodeDecodeError as error:
        raise FrameError(f"{path}: not a text file; save it as text in UTF-8") from error
    text = text.replace(BYTE_ORDER_MARK, "").rstrip(_END_OF_FILE)
    if _NOT_TEXT.search(text):
        raise FrameError(f"{path}: not a text file; save it as text in UTF-8")
    return _LINE_END.sub("\n", text)


def read_lines(path: Path, comments: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Lines of a text file with their numbers from 1, stripped; neither comments nor blank ends.

    Args:
        path: file.
        comments: beginnings of comment lines.

    Raises:
        FrameError: the file is missing, or not text.
    """
    lines = [line.strip() for line in read_text(path).split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return (
        (number, line)
        for number, line in enumerate(lines, start=1)
        if not line.startswith(comments)
    )


_TWO_READINGS = re.compile(r"-?\d+,\d+(?:\s*[;\s]\s*-?\d+,\d+){3}")


def refuse_decimal_commas(line: str, where: str) -> None:
    """Refuse a row such as "20,3;20,2;22,5;22,2": a box in decimal commas, or the four corners x,y.

    Args:
        line: of a file of boxes.
        where: file and line, for the message.

    Raises:
        FrameError: it is such a row.
    """
    if _TWO_READINGS.fullmatch(line.strip()):
        raise FrameError(
            f"{where}: {line.strip()[:40]} may be a box with decimal commas or four corners x,y: "
            "write decimals with points, and commas between all numbers"
        )
