"""The box regressor's value of boxes in one frame and its gradient, in plain inference.

The same function as `BoxRegressor.predict` after `features` and `modulate`, differently computed:
the gradient in closed form, and the features only in the cells that a box reaches.
"""

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures, LinearBlock
from alpharefine.ops.box_pooling import BoxPooling, PooledMap

_HALO = 2
"""Cells that two 3 x 3 convolutions look beyond their output."""

_SIDE_STEP = 4
"""Windows are a multiple of it wide, cells: kernels are prepared for few different shapes."""

_MARGIN = 0.1
"""Room for the boxes' moves on each side, in sides of the region that encloses them."""


class BoxHead:
    """The regressor, its last layers arranged for pooled boxes.

    Args:
        regressor: with loaded weights, in eval mode, on its device and in its precision.
    """

    def __init__(self, regressor: BoxRegressor) -> None:
        self.regressor = regressor
        predictor = regressor.iou_predictor
        self.bias = predictor.bias.detach().float()
        fine, coarse = predictor.weight.detach().float()[0].chunk(2)
        self.levels = (
            _level(regressor.fc3_rt, fine, regressor.FINE_BINS[0], regressor.fine_stride),
            _level(regressor.fc4_rt, coarse, regressor.COARSE_BINS[0], regressor.coarse_stride),
        )


@dataclass(frozen=True)
class _HeadLevel:
    """Pooling, linear layer and ReLU at one stride, and their share of the value.

    Attributes:
        weight: hidden x (bins * bins * C), in the network's precision.
        bias: hidden, float32.
        predictor: hidden, float32: weights of the value.
        bins: pooled bins in each direction.
        stride: crop pixels per cell.
    """

    weight: Tensor
    bias: Tensor
    predictor: Tensor
    bins: int
    stride: int

    def evaluate(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Share of the values, K, and its gradient in `pooled`, K x bins x bins x C."""
        flat = pooled.flatten(1).to(self.weight.dtype)
        hidden = F.linear(flat, self.weight).float() + self.bias
        in_hidden = ((hidden > 0) * self.predictor).to(self.weight.dtype)
        in_pooled = (in_hidden @ self.weight).float().reshape(pooled.shape)
        return hidden.relu() @ self.predictor, in_pooled

    def part(self, window: "_Window", computed: Tensor) -> PooledMap:
        """Where boxes are pooled, of what was computed from a window's cut."""
        features, origin = window.trim(computed)
        return PooledMap(features, self.bins, self.stride, origin)


def _level(block: LinearBlock, predictor: Tensor, bins: int, stride: int) -> _HeadLevel:
    weight, bias = block.affine()
    by_bin = weight.reshape(len(weight), -1, bins, bins).permute(0, 2, 3, 1).flatten(1)
    return _HeadLevel(by_bin.contiguous(), bias.float(), predictor, bins, stride)


_Region = tuple[float, float, float, float]
"""(x1, y1, x2, y2) in crop pixels."""

_EVERYWHERE = (-1e6, -1e6, 1e6, 1e6)


def _enclosing(corners: Tensor) -> _Region:
    """Smallest region with all boxes in it; everywhere, if one of them is not finite."""
    x1, y1, x2, y2 = corners.T.tolist()
    if not all(map(math.isfinite, (*x1, *y1, *x2, *y2))):
        return _EVERYWHERE
    return min(x1), min(y1), max(x2), max(y2)


@dataclass(frozen=True)
class _Span:
    """Cells of one axis that are computed: first .. stop - 1 of `length`.

    The outermost ones lack the neighbors that were left out, except at the map's own border.
    """

    first: int
    stop: int
    length: int

    @property
    def valid(self) -> tuple[int, int]:
        """First valid cell, and one behind the last."""
        first = self.first + (_HALO if self.first > 0 else 0)
        return first, self.stop - (_HALO if self.stop < self.length else 0)

    def covers(self, low: float, high: float) -> bool:
        """Whether an interval, in cells, reaches valid cells only; beyond the map all is zero."""
        first, stop = self.valid
        return (first == 0 or low >= first) and (stop == self.length or high <= stop - 1)


def _span(low: float, high: float, side: int, length: int) -> _Span:
    """The span of `side` cells, at most the whole axis, about the interval [low, high]."""
    side = min(side, length)
    first = min(max(round((low + high - side + 1) / 2), 0), length - side)
    return _Span(first, first + side, length)


@dataclass(frozen=True)
class _Window:
    """Rows and columns of one stride's map that are computed."""

    rows: _Span
    columns: _Span

    def covers(self, region: _Region, stride: int) -> bool:
        """Whether boxes within this region reach valid cells only."""
        x1, y1, x2, y2 = (v / stride for v in region)
        return self.columns.covers(x1, x2) and self.rows.covers(y1, y2)

    def cut(self, backbone: Tensor) -> Tensor:
        """Cells from which the window is computed: 1 x C x rows x columns."""
        rows, columns = self.rows, self.columns
        return backbone[..., rows.first : rows.stop, columns.first : columns.stop]

    def trim(self, computed: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Valid cells of what was computed from `cut`, and (row, column) of the first in the map.

        They are rows x columns x C float32, contiguous.
        """
        (top, bottom), (left, right) = self.rows.valid, self.columns.valid
        rows = slice(top - self.rows.first, bottom - self.rows.first)
        columns = slice(left - self.columns.first, right - self.columns.first)
        valid = computed[0, :, rows, columns].permute(1, 2, 0)
        return valid.float().contiguous(), (top, left)


def _window(region: _Region, stride: int, rows: int, columns: int) -> _Window:
    """A window with room about a region."""
    x1, y1, x2, y2 = (v / stride for v in region)
    # A box reaches the cells on both sides of each of its edges.
    needed = (1 + 2 * _MARGIN) * max(x2 - x1, y2 - y1) + 2 + 2 * _HALO
    side = _SIDE_STEP * math.ceil(needed / _SIDE_STEP)
    return _Window(_span(y1, y2, side, rows), _span(x1, x2, side, columns))


class BoxValues:
    """Values and gradients of boxes in one frame.

    The features are computed where the first call's boxes are, with a margin; when a box leaves
    this window they are computed anew for a larger one, so that the result is always exact.

    Args:
        head: of the network.
        backbone: features of one frame, 1 x C x H x W at each stride.
        modulation: from `BoxRegressor.modulation`.
        windowed: False computes the features of the whole frame, for devices on which looking at
            the boxes costs more than that.
    """

    def __init__(
        self,
        head: BoxHead,
        backbone: IouFeatures,
        modulation: IouFeatures,
        windowed: bool = True,
    ) -> None:
        self._head = head
        self._backbone = backbone
        self._modulation = modulation
        self._windowed = windowed
        self._windows: list[_Window] = []
        self._pooling: BoxPooling | None = None

    def __call__(self, corners: Tensor) -> tuple[Tensor, Tensor]:
        """Values K and their gradients K x 4 in the corners, float32.

        Args:
            corners: K x 4 float32, (x1, y1, x2, y2) in crop pixels.
        """
        region = _enclosing(corners) if self._windowed else _EVERYWHERE
        if self._pooling is None or not self._covers(region):
            self._pooling = self._compute(region)
        pooled = self._pooling(corners)
        levels = zip(self._head.levels, pooled.values, strict=True)
        values, upstream = zip(
            *(level.evaluate(at_level) for level, at_level in levels), strict=True
        )
        return sum(values, self._head.bias), pooled.gradient(upstream)

    def _covers(self, region: _Region) -> bool:
        levels = zip(self._windows, self._head.levels, strict=True)
        return all(window.covers(region, level.stride) for window, level in levels)

    def _compute(self, region: _Region) -> BoxPooling:
        """Pooling on the modulated features that boxes within a region reach."""
        backbone, regressor = self._backbone, self._head.regressor
        self._windows = [
            _window(region, level.stride, *features.shape[-2:])
            for level, features in zip(
                self._head.levels, (backbone.fine, backbone.coarse), strict=True
            )
        ]
        fine, coarse = self._windows
        cut = IouFeatures(fine.cut(backbone.fine), coarse.cut(backbone.coarse))
        computed = regressor.modulate(regressor.features(cut), self._modulation)
        maps = (computed.fine, computed.coarse)
        levels = zip(self._head.levels, self._windows, maps, strict=True)
        return BoxPooling([level.part(window, at_level) for level, window, at_level in levels])
