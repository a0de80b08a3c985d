"""Box head of CVPR 2021: the two corners as expectations over heat maps."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_CORNERS = ("tl", "br")


def soft_argmax(logits: Tensor, stride: float) -> Tensor:
    """Expected position of each map under its softmax.

    Args:
        logits: N x K x H x W.
        stride: crop pixels per cell; cell i sits at stride * i, without half-cell offset.

    Returns:
        N x K x 2 float32, (x, y) in crop pixels.
    """
    n, k, height, width = logits.shape
    heat = logits.float().flatten(2).softmax(-1).reshape(n, k, height, width)
    columns = torch.arange(width, device=logits.device, dtype=torch.float32)
    rows = torch.arange(height, device=logits.device, dtype=torch.float32)
    x = (heat.sum(2) * columns).sum(-1)
    y = (heat.sum(3) * rows).sum(-1)
    return torch.stack([x, y], -1) * stride


def conv_tower(in_channels: int, widths: Sequence[int]) -> list[nn.Sequential]:
    """3 x 3 conv + BN + ReLU blocks of the given output channels."""
    inputs = (in_channels, *widths[:-1])
    return [
        nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())
        for before, after in zip(inputs, widths, strict=True)
    ]


class CornerHead(nn.Module):
    """Two independent stacks, top-left and bottom-right, of any feature size.

    Args:
        in_channels: channels of the fused features.
        widths: channels of the 3 x 3 conv + BN + ReLU blocks before the 1 x 1 prediction.
        stride: crop pixels per feature cell.

    Source: Alpha-Refine, section 3.3.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], stride: float) -> None:
        super().__init__()
        self.stride = stride
        self._depth = len(widths) + 1
        for corner in _CORNERS:
            blocks = [*conv_tower(in_channels, widths), nn.Conv2d(widths[-1], 1, 1)]
            for number, block in enumerate(blocks, 1):
                self.add_module(f"conv{number}_{corner}", block)

    def forward(self, fused: Tensor) -> tuple[Tensor, Tensor]:
        """Corners and the logits they come from.

        Args:
            fused: N x C x H x W.

        Returns:
            N x 4 float32 corners (x1, y1, x2, y2) in crop pixels, not necessarily ordered, and
            N x 2 x H x W logits (top-left, bottom-right).
        """
        logits = torch.cat([self._logits(fused, corner) for corner in _CORNERS], 1)
        return soft_argmax(logits, self.stride).flatten(1), logits

    def _logits(self, x: Tensor, corner: str) -> Tensor:
        for number in range(1, self._depth + 1):
            x = self.get_submodule(f"conv{number}_{corner}")(x)
        return x
