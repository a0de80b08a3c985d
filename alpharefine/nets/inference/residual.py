"""Residual blocks of the backbones: the last convolution adds the shortcut."""

from torch import Tensor, nn

from alpharefine.nets.backbones.efficientnet_lite import InvertedResidual
from alpharefine.nets.backbones.resnet import BasicBlock, Bottleneck
from alpharefine.nets.dimp.classifier import ClassifierBlock
from alpharefine.nets.inference.conv import RELU, FusedConv2d, merge_convolutions


class FusedResidualBlock(nn.Module):
    """ResNet's block, of two or of three convolutions."""

    def __init__(self, block: BasicBlock | Bottleneck) -> None:
        super().__init__()
        layers = [(block.conv1, block.bn1), (block.conv2, block.bn2)]
        if isinstance(block, Bottleneck):
            layers.append((block.conv3, block.bn3))
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

    def __init__(self, block: InvertedResidual | ClassifierBlock) -> None:
        super().__init__()
        *inner, last = merge_convolutions(block.layers)
        self.inner = nn.Sequential(*inner)
        self.last = last
        self.has_shortcut = not isinstance(block, InvertedResidual) or block.has_shortcut

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        return self.last(self.inner(x), x if self.has_shortcut else None)
