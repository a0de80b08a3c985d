"""How much a color is each of the eleven basic ones.

The table that trackers with color names use was learned from image searches (van de Weijer et al.,
TIP 2009) and comes with no library. Here a color belongs to the names whose plain colors, those of
the web, are near it in CIE Lab.
"""

from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

NAMES = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "brown": (165, 42, 42),
    "gray": (128, 128, 128),
    "green": (0, 128, 0),
    "orange": (255, 165, 0),
    "pink": (255, 192, 203),
    "purple": (128, 0, 128),
    "red": (255, 0, 0),
    "white": (255, 255, 255),
    "yellow": (255, 255, 0),
}
"""Name -> RGB. The basic terms are those of Berlin and Kay."""

_LEVELS = 32
"""Of each channel in the table."""
_NEARNESS = 20.0
"""Distance in Lab within which colors share a name."""


def color_names(images: Tensor, cell: int) -> Tensor:
    """Mean shares of the names in each cell.

    Args:
        images: N x 3 x H x W float32 RGB, 0..255.
        cell: its side, px; divides H and W.

    Returns:
        N x 11 x H/cell x W/cell, 0..1, in the order of `NAMES`.
    """
    levels = (images * (_LEVELS / 256)).long().clamp(0, _LEVELS - 1)
    red, green, blue = levels.unbind(1)
    number = (red * _LEVELS + green) * _LEVELS + blue
    shares = _table().to(images.device)[number]
    return F.avg_pool2d(shares.permute(0, 3, 1, 2), cell)


@lru_cache(maxsize=1)
def _table() -> Tensor:
    """Shares of the names in each color: 32^3 x 11."""
    middles = (np.arange(_LEVELS, dtype=np.float32) + 0.5) / _LEVELS
    colors = np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), -1).reshape(-1, 3)
    names = np.array(list(NAMES.values()), np.float32) / 255
    distance = torch.cdist(_lab(colors), _lab(names))
    return torch.softmax(-0.5 * (distance / _NEARNESS) ** 2, 1)


def _lab(colors: np.ndarray) -> Tensor:
    """RGB in 0..1, N x 3 -> CIE Lab."""
    return torch.from_numpy(cv2.cvtColor(colors[None], cv2.COLOR_RGB2Lab)[0])
