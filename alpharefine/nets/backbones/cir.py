"""Backbones whose units cut off the border that their padding has spoilt ("cropping-inside").

All of them have stride 8; inputs of 127, 135, 255, 263, 271 and 287 px give 5 x 5, 6 x 6, 21 x 21,
22 x 22, 23 x 23 and 25 x 25 cells.

Source: Zhang and Peng, "Deeper and Wider Siamese Networks for Real-Time Visual Tracking" (SiamDW,
CVPR 2019), section 4.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpharefine.errors import UsageError
from alpharefine.nets.inference.cropped import FusedCroppedInception, FusedCroppedResidual

_CARDINALITY = 32
_STEM_CHANNELS = 64
_WIDTHS = (64, 128)
_UNITS = (3, 4)
_DENSE_KERNELS = (1, 3)
"""Sides of the kernels of a dense unit's layers: one cell of the border is spoilt."""
_POINTWISE_EPS = 1e-3
"""Of the batch norms in `InceptionUnit`'s 1 x 1 branch; the others have torch's."""


def crop(x: Tensor, cells: int = 1) -> Tensor:
    """N x C x H x W without `cells` rows and columns on each side."""
    return x[..., cells:-cells, cells:-cells]


class Crop(nn.Module):
    """`crop` as a layer."""

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells = cells

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C x H - 2 cells x W - 2 cells."""
        return crop(x, self.cells)


class ResidualUnit(nn.Module):
    """A bottleneck with a shortcut, cropped.

    Args:
        in_channels: of the input.
        width: channels of the first convolution; the output has four times as many.
        is_last: of the backbone: no ReLU at the end.
        widening: channels of the 3 x 3 convolution's output over those of its input.
    """

    def __init__(self, in_channels: int, width: int, is_last: bool, widening: int = 1) -> None:
        super().__init__()
        self.out_channels = 4 * width
        self.is_last = is_last
        self.residual = _bottleneck(in_channels, (width, widening * width, self.out_channels))
        self.shortcut = nn.Sequential()
        if in_channels != self.out_channels:
            self.shortcut.append(_conv(in_channels, self.out_channels, 1))
            self.shortcut.append(nn.BatchNorm2d(self.out_channels))

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        behind: list[nn.Module] = [] if self.is_last else [nn.ReLU(inplace=True)]
        return FusedCroppedResidual(self.residual, self.shortcut, behind)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2."""
        y = self.residual(x) + self.shortcut(x)
        return crop(y if self.is_last else F.relu(y))


class InceptionUnit(nn.Module):
    """A bottleneck beside a 1 x 1 convolution, joined and cropped.

    Args:
        in_channels: of the input.
        width: channels of the first convolution; the output has five times as many.
        is_last: of the backbone: no ReLU at the end.
    """

    def __init__(self, in_channels: int, width: int, is_last: bool) -> None:
        super().__init__()
        self.out_channels = 5 * width
        self.branch3x3 = _bottleneck(in_channels, (width, width, 4 * width))
        norm = nn.BatchNorm2d(width, eps=_POINTWISE_EPS)
        pointwise = OrderedDict[str, nn.Module](conv=_conv(in_channels, width, 1), bn=norm)
        self.branch1x1 = nn.Sequential(pointwise)
        if not is_last:
            self.branch3x3.add_module("relu3", nn.ReLU(inplace=True))
            self.branch1x1.add_module("relu", nn.ReLU(inplace=True))

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedCroppedInception(self.branch3x3, self.branch1x1)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2, the bottleneck's channels first."""
        return crop(torch.cat([self.branch3x3(x), self.branch1x1(x)], 1))


class ResNeXtUnit(nn.Module):
    """A bottleneck in 32 groups with a shortcut, normalized once more behind the sum, cropped.

    Args:
        in_channels: of the input.
        width: of the stage; the groups have width / 16 channels each, the output 8 times as many.
        is_last: of the backbone: no ReLU at the end.
    """

    def __init__(self, in_channels: int, width: int, is_last: bool) -> None:
        super().__init__()
        inner = _CARDINALITY * width // 16
        self.out_channels = 2 * inner
        self.is_last = is_last
        widths = (inner, inner, self.out_channels)
        self.residual = _bottleneck(in_channels, widths, _CARDINALITY)
        self.shortcut = nn.Sequential()
        if in_channels != self.out_channels:
            self.shortcut.append(_conv(in_channels, self.out_channels, 1))
        self.norm = nn.BatchNorm2d(self.out_channels)

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        behind: list[nn.Module] = [self.norm]
        if not self.is_last:
            behind.append(nn.ReLU(inplace=True))
        return FusedCroppedResidual(self.residual, self.shortcut, behind)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2."""
        y = self.norm(self.residual(x) + self.shortcut(x))
        return crop(y if self.is_last else F.relu(y))


class DenseUnit(nn.Module):
    """Densely connected layers and a 1 x 1 convolution, cropped; this project's own.

    SiamDW names DenseNet without describing it. Two layers normalize first, as DenseNet's do, and
    each adds `width` channels: a 1 x 1 and a padded 3 x 3 convolution, whose border is cropped.

    Args:
        in_channels: of the input.
        width: channels that a layer adds; the output has four times as many.
        is_last: of the backbone: no ReLU at the end.

    Source: Huang et al., "Densely Connected Convolutional Networks" (CVPR 2017), section 3.
    """

    def __init__(self, in_channels: int, width: int, is_last: bool) -> None:
        super().__init__()
        self.out_channels = 4 * width
        self.layers = nn.ModuleList(
            _pre_normalized(in_channels + i * width, width, size)
            for i, size in enumerate(_DENSE_KERNELS)
        )
        joined = in_channels + len(_DENSE_KERNELS) * width
        self.transition = nn.Sequential(
            _conv(joined, self.out_channels, 1), nn.BatchNorm2d(self.out_channels)
        )
        if not is_last:
            self.transition.append(nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return crop(self.transition(x))


class CellUnit(nn.Module):
    """A cell of separable convolutions and pooling, joined and cropped; this project's own.

    SiamDW names NASNet without describing it. Three branches behind one 1 x 1 convolution: a
    separable 3 x 3 convolution, a 3 x 3 average and the input itself.

    Args:
        in_channels: of the input.
        width: channels of each branch; the output has four times as many.
        is_last: of the backbone: no ReLU at the end.

    Source: Zoph et al., "Learning Transferable Architectures" (CVPR 2018), figure 4.
    """

    def __init__(self, in_channels: int, width: int, is_last: bool) -> None:
        super().__init__()
        self.out_channels = 4 * width
        self.entry = nn.Sequential(
            _conv(in_channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.separable = nn.Sequential(
            _conv(width, width, 3, padding=1, groups=width),
            _conv(width, width, 1),
            nn.BatchNorm2d(width),
        )
        self.average = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        self.exit = nn.Sequential(
            _conv(3 * width, self.out_channels, 1), nn.BatchNorm2d(self.out_channels)
        )
        if not is_last:
            self.exit.append(nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2."""
        x = self.entry(x)
        return crop(self.exit(torch.cat([self.separable(x), self.average(x), x], 1)))


Unit = ResidualUnit | InceptionUnit | ResNeXtUnit | DenseUnit | CellUnit


class _Variant(NamedTuple):
    unit: Callable[[int, int, bool], Unit]
    stem: Callable[[], nn.Sequential]


class CroppedBackbone(nn.Module):
    """A stem and two layers of cropped units; pooling within the second one halves.

    Args:
        name: one of `CROPPED_BACKBONES`.

    Raises:
        UsageError: the name is unknown.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        if name not in CROPPED_BACKBONES:
            choices = ", ".join(CROPPED_BACKBONES)
            raise UsageError(f"unknown backbone {name!r}; choose one of {choices}")
        variant = CROPPED_BACKBONES[name]
        self.stem = variant.stem()
        channels, layers = _STEM_CHANNELS, []
        for layer, (width, count) in enumerate(zip(_WIDTHS, _UNITS, strict=True)):
            units: list[nn.Module] = []
            for i in range(count):
                is_last = layer == len(_WIDTHS) - 1 and i == count - 1
                unit = variant.unit(channels, width, is_last)
                channels = unit.out_channels
                units.append(unit)
            layers.append(units)
        layers[1].insert(1, nn.MaxPool2d(2))
        self.layer1, self.layer2 = (nn.Sequential(*units) for units in layers)
        self.out_channels = channels

    def forward(self, images: Tensor) -> Tensor:
        """N x 3 x S x S -> N x C x s x s; the last unit's output has both signs."""
        return self.layer2(self.layer1(self.stem(images)))


def _padded_stem() -> nn.Sequential:
    conv, norm = _conv(3, _STEM_CHANNELS, 7, 2, 3), nn.BatchNorm2d(_STEM_CHANNELS)
    return nn.Sequential(conv, norm, nn.ReLU(inplace=True), Crop(2), nn.MaxPool2d(2))


def _valid_stem(bias: bool = False) -> nn.Sequential:
    conv = _conv(3, _STEM_CHANNELS, 7, 2, bias=bias)
    norm = nn.BatchNorm2d(_STEM_CHANNELS)
    return nn.Sequential(conv, norm, nn.ReLU(inplace=True), nn.MaxPool2d(3, 2))


def _bottleneck(in_channels: int, widths: tuple[int, int, int], groups: int = 1) -> nn.Sequential:
    """1 x 1, 3 x 3 and 1 x 1 convolution with batch norms; the last one has no ReLU behind it."""
    first, middle, last = widths
    layers = OrderedDict[str, nn.Module]()
    layers["conv1"] = _conv(in_channels, first, 1)
    layers["bn1"] = nn.BatchNorm2d(first)
    layers["relu1"] = nn.ReLU(inplace=True)
    layers["conv2"] = _conv(first, middle, 3, padding=1, groups=groups)
    layers["bn2"] = nn.BatchNorm2d(middle)
    layers["relu2"] = nn.ReLU(inplace=True)
    layers["conv3"] = _conv(middle, last, 1)
    layers["bn3"] = nn.BatchNorm2d(last)
    return nn.Sequential(layers)


def _pre_normalized(in_channels: int, channels: int, size: int) -> nn.Sequential:
    conv = _conv(in_channels, channels, size, padding=size // 2)
    return nn.Sequential(nn.BatchNorm2d(in_channels), nn.ReLU(inplace=False), conv)


def _conv(
    in_channels: int,
    out_channels: int,
    size: int,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    bias: bool = False,
) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, size, stride, padding, groups=groups, bias=bias)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


CROPPED_BACKBONES: Mapping[str, _Variant] = {
    "cir_resnet22": _Variant(ResidualUnit, _padded_stem),
    "cir_resnet22w": _Variant(partial(ResidualUnit, widening=2), _padded_stem),
    "cir_inception22": _Variant(InceptionUnit, _valid_stem),
    "cir_resnext22": _Variant(ResNeXtUnit, partial(_valid_stem, bias=True)),
    "cir_densenet": _Variant(DenseUnit, _padded_stem),
    "cir_nasnet": _Variant(CellUnit, _padded_stem),
}
"""Name -> what the backbone is made of; the last two are this project's own."""
