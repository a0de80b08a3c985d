"""What users give for images and boxes, checked and brought into the types used inside."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.types import Box, Image

ImageLike = NDArray[Any] | str | os.PathLike[str]
"""An RGB image, H x W x 3 uint8, or the path of an image file."""

BoxLike = Box | Sequence[float] | NDArray[Any]
"""Four numbers (x, y, w, h), image px."""


def as_image(image: ImageLike) -> Image:
    """The image, C-contiguous.

    Raises:
        UsageError: the file cannot be read, or the array is not H x W x 3 uint8; the message says
            how to make it so.
    """
    if isinstance(image, (str, os.PathLike)):
        read = read_frame(os.fspath(image))
        if read is None:
            raise UsageError(f"{image} is not an image file that OpenCV can read")
        return read
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[2] != 3:
        hints = {2: "cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)", 3: "image[..., :3] of RGBA"}
        raise UsageError(
            f"the image has the shape {array.shape}: give H x W x 3, RGB"
            + (f", for instance {hints[array.ndim]}" if array.ndim in hints else "")
        )
    if array.dtype != np.uint8:
        raise UsageError(
            f"the image is {array.dtype}: give uint8, 0..255; values in 0..1 become it by "
            "(255 * image).astype('uint8')"
        )
    if array.size == 0:
        raise UsageError(f"the image has no pixels (shape {array.shape})")
    return np.ascontiguousarray(array)


def as_box(box: BoxLike) -> Box:
    """The box.

    Raises:
        UsageError: it is not four finite numbers with positive sides.
    """
    try:
        numbers = [float(value) for value in box]
    except (TypeError, ValueError) as error:
        raise UsageError(f"the box {box!r} is not four numbers (x, y, width, height)") from error
    if len(numbers) != 4:
        raise UsageError(f"the box has {len(numbers)} numbers: give x, y, width, height")
    found = Box(*numbers)
    if not found.is_valid:
        raise UsageError(f"the box {tuple(numbers)} is empty or not finite: give positive sides")
    return found


def check_initial_box(target: Box) -> None:
    """Refuse a target that a tracker cannot begin with.

    Raises:
        UsageError: the box is empty or not finite.
    """
    if not target.is_valid:
        raise UsageError(f"the initial box {tuple(target)} is empty or not finite")
