"""Frames, read exactly as the toolkit reads them."""

import logging

import cv2
import numpy as np

from alpharefine.stage_timer import stage
from alpharefine.trackers.base import Image

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
