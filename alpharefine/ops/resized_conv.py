"""A 3 x 3 convolution of an enlarged map, computed on the small one.

Enlarging is linear and the same for all channels, so the channels can be mixed before it: where a
map grows fourfold the convolution has 16 times fewer cells to visit. What is left are two
products with matrices that enlarge and shift along one axis each.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor


def convolve_enlarged(x: Tensor, taps: Tensor, size: tuple[int, int], mode: str) -> Tensor:
    """conv2d(interpolate(x, size, mode), weight, padding=1) to rounding errors.

    Args:
        x: N x C x h x w.
        taps: the weight, arranged by `arrange_taps`.
        size: rows and columns (H, W) of the enlarged map.
        mode: "bilinear" or "bicubic", corners not aligned.

    Returns:
        N x C' x H x W, channels last in memory.
    """
    n, c, h, w = x.shape
    height, width = size
    rows = _enlarge_and_shift(h, height, mode, x.dtype, x.device)
    columns = _enlarge_and_shift(w, width, mode, x.dtype, x.device)
    cells = x.permute(0, 2, 3, 1).reshape(n, h, 1, w, c)
    # n x h x 3 (row taps) x w x 3 (column taps) x C', of which the axes are enlarged in turn.
    mixed = torch.matmul(cells, taps).reshape(n * h * 3, w * 3, -1)
    along_columns = torch.matmul(columns, mixed).reshape(n, h * 3, -1)
    return torch.matmul(rows, along_columns).reshape(n, height, width, -1).permute(0, 3, 1, 2)


def arrange_taps(weight: Tensor) -> Tensor:
    """Weight C' x C x 3 x 3 as `convolve_enlarged` takes it: 3 (rows) x C x (3 (columns) * C')."""
    return weight.permute(2, 1, 3, 0).flatten(2).contiguous()


@lru_cache(maxsize=64)
def _enlarge_and_shift(
    length: int, enlarged: int, mode: str, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Matrix to enlarge an axis and to shift it by -1, 0, 1: enlarged x (length * 3)."""
    unit = torch.eye(length)[None, None]
    matrix = F.interpolate(unit, size=(enlarged, length), mode=mode, align_corners=False)[0, 0]
    padded = F.pad(matrix, (0, 0, 1, 1))
    shifted = [padded[shift : shift + enlarged] for shift in range(3)]
    return torch.stack(shifted, 2).flatten(1).to(device, dtype)
