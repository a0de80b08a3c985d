"""The box heads that Alpha-Refine is compared with, described in prose in its paper alone.

Source: Yan et al., "Alpha-Refine" (CVPR 2021), section 3.3 and table 5. What the paper leaves open
is this project's choice, and said to be.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpharefine.nets.refine.corner_head import conv_tower


class DenseBoxHead(nn.Module):
    """RPN style: every cell predicts its distances to the four edges, and a confidence.

    Two towers of 3 x 3 conv + BN + ReLU blocks, one for each. The answer is the expectation of the
    cells' boxes under the softmax of their confidences, so that one squared error trains both; it
    stands for the paper's choice of the most confident cell, which has no gradient.

    Args:
        in_channels: channels of the fused features.
        widths: channels of each tower's blocks.
        stride: crop pixels per feature cell; cell i sits at its middle, stride * (i + 0.5).
    """

    def __init__(self, in_channels: int, widths: Sequence[int], stride: float) -> None:
        super().__init__()
        self.stride = stride
        self.distances = nn.Sequential(
            *conv_tower(in_channels, widths), nn.Conv2d(widths[-1], 4, 1)
        )
        self.confidence = nn.Sequential(
            *conv_tower(in_channels, widths), nn.Conv2d(widths[-1], 1, 1)
        )

    def forward(self, fused: Tensor) -> Tensor:
        """N x C x H x W -> N x 4 float32 corners (x1, y1, x2, y2) in crop pixels."""
        height, width = fused.shape[-2:]
        weights = self.confidence(fused).float().flatten(1).softmax(1)
        left, top, right, bottom = (F.softplus(self.distances(fused).float()) * self.stride).unbind(
            1
        )
        x = (torch.arange(width, device=fused.device) + 0.5) * self.stride
        y = (torch.arange(height, device=fused.device)[:, None] + 0.5) * self.stride
        boxes = torch.stack([x - left, y - top, x + right, y + bottom], 1).flatten(2)
        return (boxes * weights[:, None]).sum(2)


class PooledBoxHead(nn.Module):
    """RCNN style: global average pooling and a linear layer to the four coordinates.

    The linear layer's values are shares of the crop's side, and begin at the box that the crop was
    made of; a cell's place reaches them through the convolutions' zero padding alone.

    Args:
        in_channels: channels of the fused features.
        widths: channels of the 3 x 3 conv + BN + ReLU blocks.
        stride: crop pixels per feature cell.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], stride: float) -> None:
        super().__init__()
        self.stride = stride
        self.tower = nn.Sequential(*conv_tower(in_channels, widths))
        self.coordinates = nn.Linear(widths[-1], 4)
        nn.init.zeros_(self.coordinates.weight)
        with torch.no_grad():
            self.coordinates.bias.copy_(torch.tensor([0.25, 0.25, 0.75, 0.75]))

    def forward(self, fused: Tensor) -> Tensor:
        """N x C x H x W -> N x 4 float32 corners (x1, y1, x2, y2) in crop pixels."""
        shares: Tensor = self.coordinates(self.tower(fused).mean((2, 3)))
        height, width = fused.shape[-2:]
        side = shares.new_tensor([width, height, width, height], dtype=torch.float32)
        return shares.float() * side * self.stride
