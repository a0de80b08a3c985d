"""Files in the toolkit's own formats, read and written by its own code.

Ground truth is a region a line: `m<x0>,<y0>,<w>,<h>,<runs...>` (mask), 6 or more numbers (polygon),
4 numbers (rectangle) or one number (target absent). The toolkit's reader trusts its input: a mask
whose runs are longer than its box is written past the end of an array. So every line is checked
first.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from vot import utilities
from vot.region import io

from alpharefine.data.text import BYTE_ORDER_MARK, LATIN, detect_encoding
from alpharefine.errors import UsageError
from vot_integration.toolkit.regions import Region

_MAX_SIDE = 1 << 15
"""Largest mask side: the toolkit's binary results store it in 16 bits."""


def check_plain(file: Path) -> None:
    """Check that a text file is in UTF-8 without a byte order mark, which the toolkit needs.

    The toolkit fails in another encoding, and takes the mark for a part of the first line, which it
    then skips or trips over.

    Raises:
        UsageError: it is in another encoding. A file that is missing is left to its reader.
    """
    if not file.is_file():
        return
    content = file.read_bytes()
    encoding = detect_encoding(content)
    if encoding != "utf-8":
        shown = "Latin-1" if encoding == LATIN else encoding.upper()
        raise UsageError(f"{file} is {shown}, which the toolkit does not read: save it as UTF-8")
    if BYTE_ORDER_MARK.encode() in content:
        raise UsageError(
            f"{file} has a byte order mark (BOM), which the toolkit trips over: save it as UTF-8 "
            "without BOM"
        )


def read_regions(file: Path) -> tuple[Region, ...]:
    """Read a ground truth file, one region a frame.

    Raises:
        UsageError: the file cannot be read, or a line is not a region.
    """
    check_plain(file)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the ground truth {file}: {error}") from error
    return tuple(_read_region(line.strip(), file, n) for n, line in enumerate(lines, start=1))


def _read_region(line: str, file: Path, number: int) -> Region:
    if not line:
        raise UsageError(
            f"{file}, line {number} is blank: delete it, or write 0 where the target is absent"
        )
    region = None
    try:
        if not line.startswith("m") or _is_sound_mask(line):
            region = io.parse_region(line)
    except (ValueError, OverflowError):
        region = None
    if region is None:
        raise UsageError(
            f"{file}, line {number}: {line[:40]!r} is not a region; a line is m<x>,<y>,<w>,<h>,"
            "<runs...> (mask), 6 or more numbers (polygon), 4 numbers (rectangle) or 0 (absent)"
        )
    return region


def _is_sound_mask(line: str) -> bool:
    """Whether the runs of a mask line fit its box."""
    _, _, width, height, *runs = (int(token) for token in line[1:].split(","))
    sides_fit = 0 <= width <= _MAX_SIDE and 0 <= height <= _MAX_SIDE
    return sides_fit and min(runs, default=0) >= 0 and sum(runs) <= width * height


def write_regions(file: Path, regions: Iterable[Region]) -> None:
    """Write a ground truth file, one line a region."""
    with file.open("w", encoding="ascii") as stream:
        io.write_trajectory(stream, list(regions))


def read_trajectory(file: Path) -> list[Region]:
    """Regions of a result file, text or binary, one a frame of the run."""
    with file.open("rb" if file.suffix == ".bin" else "r") as stream:
        return list(io.read_trajectory(stream))


def read_properties(file: Path) -> dict[str, str]:
    """The lines `key=value` of a file; empty where there is no file.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not text.
    """
    return dict(utilities.read_properties(str(file)))


def write_properties(file: Path, properties: Mapping[str, str]) -> None:
    """Write lines `key=value`, sorted by key."""
    utilities.write_properties(str(file), properties)
