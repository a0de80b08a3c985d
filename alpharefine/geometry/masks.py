"""Masks that do not have their image's size."""

import numpy as np
from numpy.typing import NDArray


def full_size_mask(mask: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Cut a mask, or fill it up with zeros, at its right and bottom border.

    A region that arrives from a VOT client ends at the target's last row and column.

    Args:
        mask: H x W, top-left corner at the image's.
        height: image rows.
        width: image columns.

    Returns:
        height x width uint8, C-contiguous.
    """
    full = np.zeros((height, width), np.uint8)
    rows, columns = min(height, mask.shape[0]), min(width, mask.shape[1])
    full[:rows, :columns] = mask[:rows, :columns]
    return full
