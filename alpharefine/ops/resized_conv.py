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
        N x C' x H x W, channels last in memory where N is 1.
    """
    n, c, h, w = x.shape
    height, width = size
    rows = _enlarge_and_shift(h, height, mode, x.dtype, x.device)
    columns = _enlarge_and_shift(w, width, mode, x.dtype, x.device)
    # One product of two matrices per step: a batch of them would copy the shared one for each.
    mixed = (x.permute(0, 2, 3, 1).reshape(-1, c) @ taps).view(n, h, w, 3, 3, -1)
    along_columns = columns @ mixed.permute(2, 4, 0, 1, 3, 5).reshape(w * 3, -1)
    by_row = along_columns.view(width, n, h * 3, -1).permute(2, 1, 0, 3).reshape(h * 3, -1)
    return (rows @ by_row).view(height, n, width, -1).permute(1, 3, 0, 2)


def arrange_taps(weight: Tensor) -> Tensor:
    """Weight C' x C x 3 x 3 as `convolve_enlarged` takes it: C x (3 (rows) * 3 (columns) * C')."""
    return weight.permute(1, 2, 3, 0).flatten(1).contiguous()


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
