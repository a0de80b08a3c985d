"""Whether the files of a sequence are images, whole and of one size."""

from collections.abc import Iterable
from pathlib import Path

import cv2
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as PilImage

from alpharefine.data.images import is_name_for_opencv, read_frame
from alpharefine.errors import UsageError
from alpharefine.types import Image

_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
"""What whole files end with (ITU-T T.81, section B.1.1.3; PNG specification, section 11.2.5)."""

_TAIL = 32
"""Bytes at the end of a file among which that is, but for programs that add something."""

_TURNED = (5, 6, 7, 8)
"""Orientations of EXIF that exchange width and height, which OpenCV heeds."""


def check_images(files: Iterable[Path], size: tuple[int, int] | None = None) -> None:
    """Check that files are whole images; only those that end strangely are decoded.

    Args:
        files: frames, in order.
        size: width and height that all must have; None for those of the first.

    Raises:
        UsageError: names the first that is missing, empty, of another kind, cut off, or of another
            size.
    """
    for number, file in enumerate(files, start=1):
        # OpenCV says so by itself, on standard error, where there is no file.
        if not file.is_file() or (is_name_for_opencv(file) and not cv2.haveImageReader(str(file))):
            raise _unreadable(file)
        found = _check_whole(file)
        if found is None:
            continue
        size = size or found
        if found != size:
            raise UsageError(
                f"{file} (frame {number}) has {found[0]} x {found[1]} pixels but the sequence "
                f"{size[0]} x {size[1]}: give frames of one size"
            )


def read_picture(file: Path) -> Image:
    """Read a frame as the toolkit does, H x W x 3 uint8 RGB.

    Raises:
        UsageError: OpenCV cannot read it.
    """
    image = read_frame(str(file))
    if image is None:
        raise _unreadable(file)
    return image


def is_whole(file: Path) -> bool:
    """Whether a picture is not cut off or damaged, as far as Pillow can tell."""
    try:
        _check_whole(file)
    except UsageError:
        return False
    return True


def _check_whole(file: Path) -> tuple[int, int] | None:
    """Width and height of a picture; None where Pillow does not know its kind."""
    try:
        with PilImage.open(file) as picture:
            width, height = picture.size
            if picture.getexif().get(ExifTags.Base.Orientation) in _TURNED:
                width, height = height, width
            end = _ENDS.get(picture.format or "")
            if end is not None and end not in _read_tail(file):
                picture.load()
    except UnidentifiedImageError:
        return None
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"{file} is cut off or damaged ({error}): replace it") from error
    return width, height


def _read_tail(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL))
        return stream.read()


def _unreadable(file: Path) -> UsageError:
    if file.is_file() and file.stat().st_size == 0:
        return UsageError(f"{file} is empty (0 bytes): replace it")
    return UsageError(f"{file} cannot be read as an image: replace it")
