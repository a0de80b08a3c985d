"""Residual blocks of the backbones: the last convolution adds the shortcut."""

from typing import TYPE_CHECKING

from torch import Tensor, nn

from alpharefine.nets.inference.conv import RELU, FusedConv2d, merge_convolutions

if TYPE_CHECKING:
    from alpharefine.nets.backbones.resnet import BasicBlock, Bottleneck


class FusedResidualBlock(nn.Module):
    """ResNet's block, of two or of three convolutions."""

    def __init__(self, block: "BasicBlock | Bottleneck") -> None:
        super().__init__()
        layers = block.convolutions
        *inner, last = (FusedConv2d(conv, norm, RELU) for conv, norm in layers)
        self.inner = nn.Sequential(*inner)
        self.last = last
        self.shortcut: nn.Module = nn.Identity()
        if block.downsample is not None:
            self.shortcut = FusedConv2d(*block.downsample)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        return self.last(self.inner(x), self.shortcut(x))


class FusedShortcut(nn.Module):
    """A block that ends in a convolution, with or without a shortcut around all of it."""

    def __init__(self, layers: nn.Sequential, has_shortcut: bool = True) -> None:
        super().__init__()
        *inner, last = merge_convolutions(layers)
        self.inner = nn.Sequential(*inner)
        self.last = last
        self.has_shortcut = has_shortcut

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        return self.last(self.inner(x), x if self.has_shortcut else None)
