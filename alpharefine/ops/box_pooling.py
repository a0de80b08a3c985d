"""PrRoIPool of many boxes on one feature map, with its gradient in the boxes, without autograd.

Autograd would go through every cell of the map, and forbids inference mode; the gradient in the
boxes alone is a few small matrix products.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from alpharefine.ops.prroi import BinWeights, bin_weights


@dataclass(frozen=True)
class PooledBoxes:
    """Pooled boxes and what their gradient needs.

    Attributes:
        values: K x bins (rows) x bins (columns) x C.
    """

    values: Tensor
    _along_rows: Tensor
    _features: Tensor
    _rows: BinWeights
    _columns: BinWeights
    _spatial_scale: float

    def gradient(self, upstream: Tensor) -> Tensor:
        """Gradient in the corners (x1, y1, x2, y2) in image pixels: K x 4.

        Args:
            upstream: gradient in `values`, the same shape.
        """
        k, bins = upstream.shape[:2]
        height = self._features.shape[0]
        in_columns = torch.matmul(upstream, self._along_rows.transpose(2, 3)).sum(1)
        spread = torch.matmul(self._columns.values[:, None].transpose(2, 3), upstream)
        in_rows = spread.reshape(k * bins, -1) @ self._features.reshape(height, -1).T
        in_rows = in_rows.reshape(k, bins, height)
        ends = [
            (weights_gradient * slope).sum((1, 2))
            for name in ("by_low", "by_high")
            for weights_gradient, slope in (
                (in_columns, getattr(self._columns, name)),
                (in_rows, getattr(self._rows, name)),
            )
        ]
        return torch.stack(ends, 1) * self._spatial_scale


def pool_boxes(
    features: Tensor,
    corners: Tensor,
    bins: int,
    spatial_scale: float,
    origin: tuple[int, int] = (0, 0),
) -> PooledBoxes:
    """Average of the bilinear interpolant over each of bins x bins equal parts of each box.

    Args:
        features: H x W x C, contiguous, of the type of `corners`.
        corners: K x 4, (x1, y1, x2, y2) in image pixels.
        bins: bins in each direction.
        spatial_scale: feature cells per image pixel (1 / stride).
        origin: (row, column) of the first cell where `features` are a part of a map; exact as long
            as no box reaches a cell of the map that is not in the part.

    Source: as `alpharefine.ops.prroi`.
    """
    height, width, channels = features.shape
    k = corners.shape[0]
    x1, y1, x2, y2 = (corners * spatial_scale).unbind(1)
    rows = bin_weights(y1 - origin[0], y2 - origin[0], bins, height)
    columns = bin_weights(x1 - origin[1], x2 - origin[1], bins, width)
    along_rows = rows.values.reshape(k * bins, height) @ features.reshape(height, -1)
    along_rows = along_rows.reshape(k, bins, width, channels)
    values = torch.matmul(columns.values[:, None], along_rows)
    return PooledBoxes(values, along_rows, features, rows, columns, spatial_scale)
