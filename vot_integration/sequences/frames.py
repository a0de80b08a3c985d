"""Frames, read exactly as the toolkit reads them, and whether files look like ones."""

import logging
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from alpharefine.errors import UsageError
from alpharefine.stage_timer import stage
from alpharefine.types import Image

_log = logging.getLogger(__name__)


@stage("decoding")
def read_frame(path: str) -> Image | None:
    """Read an image file as RGB with the meaning of a plain `cv2.imread`.

    Gray, 16-bit and RGBA files become three 8-bit channels, EXIF rotation is applied, and a
    truncated JPEG is what OpenCV makes of it.

    Args:
        path: file name.

    Returns:
        H x W x 3 uint8 RGB, C-contiguous; None when OpenCV cannot read the file.
    """
    try:
        image = cv2.imread(path)
        if image is None or image.size == 0:
            return None
        return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    except cv2.error as error:
        # Raised instead of None for images beyond OpenCV's size limit.
        _log.warning("OpenCV refuses %s: %s", path, error)
        return None


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
