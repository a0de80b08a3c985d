"""DiMP's target classifier: feature, filter initializer and filter optimizer."""

import torch
from torch import Tensor, nn

from alpharefine.nets.backbones.resnet import BasicBlock, Window
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.dimp.filter_optimizer import FilterOptimizer
from alpharefine.nets.inference.residual import FusedShortcut
from alpharefine.ops.prroi import prroi_pool_boxes


class InstanceL2Norm(nn.Module):
    """Scale each sample to a fixed L2 norm: x * scale * sqrt(C H W / (sum x^2 + 1e-5)).

    Source: Bhat et al., ICCV 2019, section 4.1.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        """Normalize N x C x H x W; the sum is taken in float32."""
        # One long sum would be split by the number of threads, and its last bits with it.
        squared = x.float().square().sum((2, 3), keepdim=True).sum(1, keepdim=True)
        count = x.shape[1] * x.shape[2] * x.shape[3]
        return x * (self.scale * (count / (squared + 1e-5)).sqrt()).to(x.dtype)


class ClassifierBlock(nn.Module):
    """Residual block of two convolutions; does nothing before it is trained.

    Unlike ResNet's it does not end in a ReLU: the backbone's features have negative values, too.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(channels)
        nn.init.zeros_(last.weight)
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            last,
        )

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedShortcut(self.layers)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> the same shape."""
        y: Tensor = self.layers(x)
        return x + y


class FilterInitializer(nn.Module):
    """First guess of the target filter: pooled convolutional features, averaged over samples."""

    def __init__(self, channels: int, filter_size: int, stride: int) -> None:
        super().__init__()
        self.filter_size = filter_size
        self.stride = stride
        self.filter_conv = nn.Conv2d(channels, channels, 3, padding=1)
        # Begin as the plain average of the target's features.
        nn.init.dirac_(self.filter_conv.weight)
        nn.init.zeros_(self.filter_conv.get_parameter("bias"))

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        """Initial filter.

        Args:
            features: S x N x C x H x W, normalized classification features.
            boxes: S x N x 4, (x, y, w, h) in crop pixels.

        Returns:
            S x C x k x k.
        """
        s, n = features.shape[:2]
        maps = self.filter_conv(features.flatten(0, 1))
        corners = torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1)
        size = (self.filter_size, self.filter_size)
        pooled = prroi_pool_boxes(maps, corners.reshape(s * n, 1, 4), size, 1 / self.stride)
        return pooled.reshape(s, n, *pooled.shape[2:]).mean(1)


class TargetClassifier(nn.Module):
    """Everything of DiMP that learns and applies the target filter.

    Args:
        in_channels: of the backbone's stage.
        stride: of that stage.
        config: the sizes.
    """

    def __init__(self, in_channels: int, stride: int, config: DimpNetConfig) -> None:
        super().__init__()
        channels, filter_size = config.clf_channels, config.filter_size
        scale = (1 / (channels * filter_size * filter_size)) ** 0.5
        projection = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        _begin_as_projection(projection)
        before = [_block(config.clf_block, in_channels) for _ in range(config.clf_blocks)]
        self.feature = nn.Sequential(*before, projection, InstanceL2Norm(scale))
        self.filter_initializer = FilterInitializer(channels, filter_size, stride)
        self.filter_optimizer = FilterOptimizer(config.label_bins, config.bin_width, stride)


def _block(kind: str, channels: int) -> nn.Module:
    if kind == "basic":
        return BasicBlock(channels, channels, Window())
    return ClassifierBlock(channels)


def _begin_as_projection(conv: nn.Conv2d) -> None:
    """Orthogonal 1 x 1 projection, so that untrained features keep what the backbone knows."""
    with torch.no_grad():
        conv.weight.zero_()
        nn.init.orthogonal_(conv.weight[:, :, 1, 1])
