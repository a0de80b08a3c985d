"""PrRoIPool of many boxes on feature maps, with its gradient in the boxes, without autograd.

Autograd would go through every cell of the maps, and forbids inference mode; the gradient in the
boxes alone is a few small matrix products. Boxes are few and small, so it is the number of
operations that costs: axes and maps share those that they can.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from alpharefine.ops.prroi import BinOverlaps, bin_middles, overlap_bins


@dataclass(frozen=True)
class PooledMap:
    """A feature map, or a part of one, and how boxes are pooled on it.

    Attributes:
        features: rows x columns x C, contiguous.
        bins: bins of a box in each direction.
        stride: image pixels per cell.
        origin: (row, column) of the first cell where `features` are a part of a map; exact as long
            as no box reaches a cell of the map that is not in the part.
    """

    features: Tensor
    bins: int
    stride: float
    origin: tuple[int, int] = (0, 0)


class BoxPooling:
    """Average of the bilinear interpolant over each of bins x bins equal parts of each box.

    Args:
        maps: all on one device and of one type, which is that of the boxes too.

    Source: as `alpharefine.ops.prroi`.
    """

    def __init__(self, maps: Sequence[PooledMap]) -> None:
        self.maps = tuple(maps)
        layout = tuple((part.bins, part.stride) for part in self.maps)
        first = self.maps[0].features
        self._geometry = _geometry(layout, first.device, first.dtype)
        origins = [
            [origin for part in self.maps for origin in [part.origin[axis]] * part.bins]
            for axis in (1, 0)
        ]
        self._origin = torch.tensor(origins, device=first.device, dtype=first.dtype)
        self._cells = max(max(part.features.shape[:2]) for part in self.maps)

    def __call__(self, corners: Tensor) -> "PooledBoxes":
        """Pool boxes, K x 4, (x1, y1, x2, y2) in image pixels."""
        low = corners[:, :2, None]
        size = corners[:, 2:, None] - low
        per_pixel, share, half = self._geometry
        middle = low * per_pixel + (size * share - self._origin)
        overlaps = overlap_bins(middle, size * half, self._cells)
        weights = overlaps.weights()
        pooled = [_pool(part, weights[:, :, bins]) for part, bins in self.bins()]
        return PooledBoxes(tuple(pooled), self, overlaps)

    def bins(self) -> Iterator[tuple[PooledMap, slice]]:
        """The maps and where their bins are among those of all maps."""
        first = 0
        for part in self.maps:
            yield part, slice(first, first + part.bins)
            first += part.bins

    def to_corners(self, by_middle: Tensor, by_half: Tensor) -> Tensor:
        """Gradient in the corners, K x 4, from those in the bins' middles and half sizes.

        Args:
            by_middle: K x 2 (x, y) x bins of all maps.
            by_half: the same.
        """
        per_pixel, share, half = self._geometry
        by_high = (by_middle * share + by_half * half).sum(-1)
        by_low = (by_middle * per_pixel).sum(-1) - by_high
        return torch.cat([by_low, by_high], 1)


@dataclass(frozen=True)
class _Pooled:
    """Boxes pooled on one map.

    Attributes:
        values: K x bins (rows) x bins (columns) x C.
        along_rows: pooled along rows alone, K x bins x columns x C.
        by_column: weights of the columns, K x bins x columns.
    """

    values: Tensor
    along_rows: Tensor
    by_column: Tensor


@dataclass(frozen=True)
class PooledBoxes:
    """Pooled boxes and what their gradient needs."""

    _pooled: tuple[_Pooled, ...]
    _pooling: BoxPooling
    _overlaps: BinOverlaps

    @property
    def values(self) -> tuple[Tensor, ...]:
        """Of each map, K x bins (rows) x bins (columns) x C."""
        return tuple(pooled.values for pooled in self._pooled)

    def gradient(self, upstream: Sequence[Tensor]) -> Tensor:
        """Gradient in the corners (x1, y1, x2, y2) in image pixels: K x 4.

        Args:
            upstream: gradients in `values`, the same shapes.
        """
        by_middle, by_half = self._overlaps.slopes()
        by_weight = torch.zeros_like(by_middle)
        for (part, bins), pooled, of_map in zip(
            self._pooling.bins(), self._pooled, upstream, strict=True
        ):
            rows, columns = part.features.shape[:2]
            of_columns = torch.matmul(of_map, pooled.along_rows.transpose(2, 3)).sum(1)
            by_weight[:, 0, bins, :columns] = of_columns
            spread = torch.matmul(pooled.by_column[:, None].transpose(2, 3), of_map)
            of_rows = spread.reshape(-1, part.features[0].numel()) @ part.features.flatten(1).T
            by_weight[:, 1, bins, :rows] = of_rows.reshape(-1, part.bins, rows)
        return self._pooling.to_corners(
            (by_weight * by_middle).sum(-1), (by_weight * by_half).sum(-1)
        )


def _pool(part: PooledMap, weights: Tensor) -> _Pooled:
    """Pool with weights of columns and of rows, K x 2 x bins x cells."""
    rows, columns, channels = part.features.shape
    by_column = weights[:, 0, :, :columns]
    by_row = weights[:, 1, :, :rows].reshape(-1, rows)
    along_rows = (by_row @ part.features.flatten(1)).reshape(-1, part.bins, columns, channels)
    return _Pooled(torch.matmul(by_column[:, None], along_rows), along_rows, by_column)


@lru_cache(maxsize=16)
def _geometry(
    layout: tuple[tuple[int, float], ...], device: torch.device, dtype: torch.dtype
) -> Tensor:
    """What places the bins of all maps, each given as (bins, stride): 3 x bins of all, in cells.

    A pixel; the way from a box's low end to the bin's middle, and half the bin's size, both for a
    box of one pixel.
    """
    tables = []
    for bins, stride in layout:
        middles = bin_middles(bins, device)
        ones = torch.ones_like(middles)
        tables.append(torch.stack([ones, middles, ones / (2 * bins)]) / stride)
    return torch.cat(tables, 1).to(dtype)
