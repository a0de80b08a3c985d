"""Precise RoI pooling in closed form, without a compiled extension.

The average of a bilinear interpolant over a bin separates into one weight vector per axis, the
integral of each pixel's hat function over the bin, so pooling is two matrix products. It is exact
and differentiable in features and boxes, on every device.

Source: Jiang et al., "Acquisition of Localization Confidence for Accurate Object Detection"
(ECCV 2018), section 3.3. Pixel i sits at coordinate i; the map is zero outside its pixels.
"""

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
    bin_size = (high - low).clamp_min(0) / bins
    edges = low[..., None] + bin_size[..., None] * torch.arange(bins + 1, device=low.device)
    positions = torch.arange(cells, device=low.device, dtype=low.dtype)
    cumulative = _hat_integral(edges[..., None] - positions)
    integral = cumulative[..., 1:, :] - cumulative[..., :-1, :]
    has_size = bin_size > 0
    inverse = torch.where(has_size, 1 / torch.where(has_size, bin_size, 1), 0)
    return integral * inverse[..., None, None]


def _hat_integral(t: Tensor) -> Tensor:
    """Integral of the unit hat max(0, 1 - |s|) over s from minus infinity to t."""
    t = t.clamp(-1, 1)
    return 0.5 + t - 0.5 * t * t.abs()
