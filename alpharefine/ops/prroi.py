"""Precise RoI pooling in closed form, without a compiled extension.

The average of a bilinear interpolant over a bin separates into one weight vector per axis, the
integral of each pixel's hat function over the bin, so pooling is two matrix products. It is exact
and differentiable in features and boxes, on every device.

Source: Jiang et al., "Acquisition of Localization Confidence for Accurate Object Detection"
(ECCV 2018), section 3.3. Pixel i sits at coordinate i; the map is zero outside its pixels.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def prroi_pool_boxes(
    features: Tensor, boxes: Tensor, output_size: tuple[int, int], spatial_scale: float
) -> Tensor:
    """Pool the same number of boxes from every image of a batch.

    Args:
        features: N x C x H x W.
        boxes: N x K x 4, corners (x1, y1, x2, y2) in image pixels, float32.
        output_size: bins (rows, columns).
        spatial_scale: feature cells per image pixel (1 / stride).

    Returns:
        N x K x C x rows x columns in the dtype of `features`; 0 for boxes without area.
    """
    n, c, height, width = features.shape
    k = boxes.shape[1]
    rows, columns = output_size
    x1, y1, x2, y2 = (boxes * spatial_scale).unbind(-1)
    weights_y = _bin_weights(y1, y2, rows, height).to(features.dtype)
    weights_x = _bin_weights(x1, x2, columns, width).to(features.dtype)
    along_y = torch.matmul(weights_y.reshape(n, 1, k * rows, height), features)
    along_y = along_y.reshape(n, c, k, rows, width).transpose(1, 2).reshape(n, k, c * rows, width)
    return torch.matmul(along_y, weights_x.transpose(2, 3)).reshape(n, k, c, rows, columns)


def _bin_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Mean weight of each cell in each bin of [low, high]: N x K -> N x K x bins x cells."""
    size = (high - low)[..., None]
    middle = low[..., None] + size * bin_middles(bins, low.device)
    return overlap_bins(middle, size / (2 * bins), cells).weights()


def bin_middles(bins: int, device: torch.device) -> Tensor:
    """Middles of the equal parts of [0, 1]."""
    return (torch.arange(bins, device=device) + 0.5) / bins


_SMALLEST_HALF = 1e-5
"""Half a bin, cells: smaller ones with a size count as this one. Their ends are nearer to each
other than float32 can tell places on a map apart, and the mean is the hat at the bin's middle."""


@dataclass(frozen=True)
class BinOverlaps:
    """How bins lie on the unit intervals between neighboring cells of an axis.

    Everything is relative to a bin's middle and half its size: where a bin is tiny, a difference
    of integrals up to its two ends would be rounding errors, divided by its size.

    Attributes:
        place: ends of the unit intervals, from -1 at the bin's one end, or beyond it, to 1 at its
            other one: ... x (cells + 2).
        share: of the bin in each unit interval, ... x (cells + 1); all 0 if it has no size.
        lean: of the middle of that share towards the interval's upper cell, in [-1, 1].
    """

    place: Tensor
    share: Tensor
    lean: Tensor

    def weights(self) -> Tensor:
        """Mean of each cell's hat over each bin: ... x cells."""
        leaning = self.share * self.lean
        upper, lower = self.share + leaning, self.share - leaning
        return (upper[..., :-1] + lower[..., 1:]) / 2

    def slopes(self) -> tuple[Tensor, Tensor]:
        """Derivatives of the weights in the bins' middles, and in their half sizes."""
        spread = self.share * (self.place[..., :-1] + self.place[..., 1:]) / 2
        return -_differences(self.share), _differences(spread)


def overlap_bins(middle: Tensor, half: Tensor, cells: int) -> BinOverlaps:
    """Lay bins on cells 0 .. cells - 1, and on the zeros around them.

    Args:
        middle: middles of the bins in cells, any shape.
        half: their half sizes, to be broadcast; bins of a size of 0 or less have no weights.
        cells: number of cells.
    """
    # Detached: the derivative in the size is that of the hat's mean, for tiny bins too.
    limited = half + (_SMALLEST_HALF - half).clamp_min(0).detach()
    inverse = torch.where(half > 0, 1 / limited, 0)
    cell = torch.arange(-1, cells + 1, device=middle.device, dtype=middle.dtype)
    offset = middle[..., None] - cell
    place = (offset * inverse[..., None]).clamp(-1, 1)
    beyond = offset - place * limited[..., None]
    return BinOverlaps(place, -_differences(place) / 2, beyond[..., :-1] + beyond[..., 1:])


def _differences(x: Tensor) -> Tensor:
    return x[..., 1:] - x[..., :-1]
