"""Whether the files of a sequence are images."""

from collections.abc import Iterable
from pathlib import Path

import cv2

from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.types import Image


def check_images(files: Iterable[Path]) -> None:
    """Check that each file is an image by how it begins; none is decoded.

    Missing and empty files are found, and those of another kind. A file that is cut off later is
    not: OpenCV, and so the toolkit, may make a picture of it.

    Raises:
        UsageError: names the first that OpenCV would not read.
    """
    for file in files:
        # OpenCV says so by itself, on standard error, where there is no file.
        if not file.is_file() or not cv2.haveImageReader(str(file)):
            raise _unreadable(file)


def read_picture(file: Path) -> Image:
    """Read a frame as the toolkit does, H x W x 3 uint8 RGB.

    Raises:
        UsageError: OpenCV cannot read it.
    """
    image = read_frame(str(file))
    if image is None:
        raise _unreadable(file)
    return image


def _unreadable(file: Path) -> UsageError:
    if file.is_file() and file.stat().st_size == 0:
        return UsageError(f"{file} is empty (0 bytes): replace it")
    return UsageError(f"{file} cannot be read as an image: replace it")
