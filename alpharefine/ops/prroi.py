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


def prroi_pool(
    features: Tensor, rois: Tensor, output_size: tuple[int, int], spatial_scale: float
) -> Tensor:
    """Pool any mixture of boxes, each naming its image.

    Args:
        features: N x C x H x W.
        rois: M x 5, (image index, x1, y1, x2, y2) in image pixels, float32.
        output_size: bins (rows, columns).
        spatial_scale: feature cells per image pixel (1 / stride).

    Returns:
        M x C x rows x columns.
    """
    images = features[rois[:, 0].long()]
    return prroi_pool_boxes(images, rois[:, None, 1:], output_size, spatial_scale)[:, 0]


def _bin_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> Tensor:
    """Mean weight of each cell in each bin of [low, high]: N x K -> N x K x bins x cells."""
    offsets, inverse = _edge_offsets(low, high, bins, cells)
    return _differences(_hat_integral(offsets)) * inverse


@dataclass(frozen=True)
class BinWeights:
    """Mean weight of each cell in each bin of an interval [low, high], and its derivatives.

    Attributes:
        values: ... x bins x cells.
        by_low: derivative in the interval's low end, the same shape.
        by_high: derivative in its high end.
    """

    values: Tensor
    by_low: Tensor
    by_high: Tensor


def bin_weights(low: Tensor, high: Tensor, bins: int, cells: int) -> BinWeights:
    """Weights with derivatives, for gradients without autograd.

    Args:
        low: low ends in cells, any shape.
        high: high ends, the same shape.
        bins: equal parts of each interval.
        cells: cells 0 .. cells - 1 have a weight.
    """
    offsets, inverse = _edge_offsets(low, high, bins, cells)
    values = _differences(_hat_integral(offsets)) * inverse
    # The integral's derivative in an edge is the hat; the edges follow both ends of the interval,
    # and so does the bin size by which the integral is divided.
    hat = (1 - offsets.abs()).clamp_min(0)
    share = torch.arange(bins + 1, device=low.device, dtype=low.dtype)[:, None] / bins
    by_size = values / bins
    return BinWeights(
        values,
        (_differences(hat * (1 - share)) + by_size) * inverse,
        (_differences(hat * share) - by_size) * inverse,
    )


def _edge_offsets(low: Tensor, high: Tensor, bins: int, cells: int) -> tuple[Tensor, Tensor]:
    """Bin edges relative to each cell, ... x (bins + 1) x cells; 1 / bin size, ... x 1 x 1 or 0."""
    bin_size = (high - low).clamp_min(0) / bins
    edges = low[..., None] + bin_size[..., None] * torch.arange(bins + 1, device=low.device)
    positions = torch.arange(cells, device=low.device, dtype=low.dtype)
    has_size = bin_size > 0
    inverse = torch.where(has_size, 1 / torch.where(has_size, bin_size, 1), 0)
    return edges[..., None] - positions, inverse[..., None, None]


def _differences(at_edges: Tensor) -> Tensor:
    return at_edges[..., 1:, :] - at_edges[..., :-1, :]


def _hat_integral(t: Tensor) -> Tensor:
    """Integral of the unit hat max(0, 1 - |s|) over s from minus infinity to t."""
    t = t.clamp(-1, 1)
    return 0.5 + t - 0.5 * t * t.abs()
