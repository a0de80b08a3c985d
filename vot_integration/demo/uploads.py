"""Files that the page sends: what may come, how much of it, and where it goes."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.demo.refused import RefusedError

MEGABYTE = 10**6

_LONGEST_STEM = 60

_HEADS = (
    # ISO media (MP4, MOV, 3GP), whose first box may be one of several.
    re.compile(rb"....(ftyp|moov|mdat|wide|free|skip|pnot)", re.DOTALL),
    # Matroska and WebM, AVI, Ogg, MPEG program and transport streams, FLV, ASF/WMV, GIF, Y4M.
    re.compile(rb"\x1a\x45\xdf\xa3|RIFF....AVI |OggS|\0\0\x01[\xb3\xba]", re.DOTALL),
    re.compile(rb"\x47.{187}\x47|FLV\x01|\x30\x26\xb2\x75|GIF8[79]a|YUV4MPEG2", re.DOTALL),
)
"""How video files begin. FFmpeg also takes playlists, which name files and addresses to open:
these are not among them."""

_HEAD_BYTES = 512


def plain_stem(name: str) -> str:
    """What the files made of an upload are named after: its name without path and suffix."""
    stem = Path(name.replace("\\", "/")).stem
    kept = re.sub(r"[^\w+-]+", "_", stem).strip("_-")[:_LONGEST_STEM]
    return kept or "video"


async def receive(body: AsyncIterator[bytes], file: Path, limit: int, announced: int) -> None:
    """Write what comes into a file; a file that cannot be used is not left.

    Args:
        body: the parts.
        file: to write.
        limit: most bytes.
        announced: bytes that the request speaks of, or 0.

    Raises:
        RefusedError: it is too large, empty or cut off, the disk is full.
        UsageError: it does not begin as a video does.
    """
    received = 0
    try:
        _check_size(announced, limit)
        with file.open("wb") as target:
            async for part in body:
                received += len(part)
                _check_size(received, limit)
                target.write(part)
        if received < announced:
            raise RefusedError("the upload was cut off: send it again", 400)
        check_video_head(file)
    except OSError as error:
        file.unlink(missing_ok=True)
        reason = error.strerror or type(error).__name__
        raise RefusedError(f"the upload cannot be kept ({reason})", 507) from error
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def check_video_head(file: Path) -> None:
    """Check that a file begins as videos do.

    Raises:
        UsageError: it does not.
    """
    with file.open("rb") as source:
        head = source.read(_HEAD_BYTES)
    if not head:
        raise UsageError("the file is empty: choose a video")
    if not any(pattern.match(head) for pattern in _HEADS):
        raise UsageError("this is no video: choose an MP4, MOV, MKV, WebM, AVI or GIF file")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise RefusedError(
            f"the video is larger than {limit / MEGABYTE:g} MB: cut it, or start arvot demo with "
            "a larger --max-upload",
            413,
        )
