"""Cropping-inside units: what is cut off in the end is not computed.

Only the 3 x 3 convolution's padding spoils the border, so that without padding its output is the
cropped one, and the unit's input is cropped instead where it goes another way.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from alpharefine.nets.inference.conv import merge_convolutions


class FusedCroppedResidual(nn.Module):
    """The last convolution adds the shortcut.

    Args:
        residual: the unit's bottleneck.
        shortcut: layers of its shortcut.
        behind: layers behind the sum: an activation, or a norm that cannot be folded.
    """

    def __init__(
        self, residual: nn.Sequential, shortcut: Iterable[nn.Module], behind: list[nn.Module]
    ) -> None:
        super().__init__()
        layers = _unpadded(residual)
        if len(behind) == 1 and isinstance(behind[0], nn.ReLU):
            # The convolution takes it in, behind the sum.
            layers, behind = [*layers, *behind], []
        *inner, self.last = merge_convolutions(layers)
        self.inner = nn.Sequential(*inner)
        self.shortcut = nn.Sequential(*merge_convolutions(shortcut))
        self.behind = nn.Sequential(*behind)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2."""
        return self.behind(self.last(self.inner(x), self.shortcut(_cropped(x))))


class FusedCroppedInception(nn.Module):
    """Both branches end in their activations."""

    def __init__(self, branch3x3: nn.Sequential, branch1x1: nn.Sequential) -> None:
        super().__init__()
        self.branch3x3 = nn.Sequential(*merge_convolutions(_unpadded(branch3x3)))
        self.branch1x1 = nn.Sequential(*merge_convolutions(branch1x1))

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H - 2 x W - 2."""
        return torch.cat([self.branch3x3(x), self.branch1x1(_cropped(x))], 1)


def _unpadded(bottleneck: nn.Sequential) -> list[nn.Module]:
    layers = list(bottleneck)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            layer.padding = (0, 0)
    return layers


def _cropped(x: Tensor) -> Tensor:
    # oneDNN's calls want whole tensors.
    return x[..., 1:-1, 1:-1].contiguous(memory_format=torch.channels_last)
