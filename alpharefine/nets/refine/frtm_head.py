"""Mask head of the VOT2020 entry: the decoder of FRTM on four backbone stages.

Source: Robinson et al., "Learning Fast and Robust Target Models for Video Object Segmentation"
(CVPR 2020), section 3.3 and its supplement.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from alpharefine.nets.inference.frtm import (
    FusedProjection,
    FusedResidualRefinement,
    FusedTargetEncoder,
)
from alpharefine.nets.refine.pyramid_head import resize


def _mean(x: Tensor) -> Tensor:
    return x.mean((2, 3), keepdim=True)


class TargetEncoder(nn.Module):
    """TSE: a backbone stage, reduced, joined with the correlation map."""

    def __init__(self, stage_channels: int, fused_channels: int, channels: int) -> None:
        super().__init__()
        joined = channels + fused_channels
        self.reduce = nn.Sequential(
            nn.Conv2d(stage_channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1)
        )
        self.transform = nn.Sequential(
            nn.Conv2d(joined, joined, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(joined, joined, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(joined, channels, 3, padding=1),
            nn.ReLU(),
        )

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedTargetEncoder(self)

    def forward(self, stage: Tensor, fused: Tensor, carry: Tensor | None) -> tuple[Tensor, Tensor]:
        """Encoded stage, and the deeper features: `carry`, or the stage's mean if there is none."""
        reduced = self.reduce(stage)
        joined = torch.cat([reduced, resize(fused, stage.shape[-2:])], 1)
        return self.transform(joined), _mean(reduced) if carry is None else carry


class ResidualRefinement(nn.Module):
    """RRB: 1 x 1 convolution and a residual block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(channels, channels, 1)
        self.bblock = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        )

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedResidualRefinement(self)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> the same shape."""
        x = self.conv1x1(x)
        return F.relu(x + self.bblock(x))


class _ChannelAttention(nn.Module):
    """CAB: gate the shallower features by both levels' means, add the deeper ones."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convreluconv = nn.Sequential(
            nn.Conv2d(2 * channels, channels, 1), nn.ReLU(), nn.Conv2d(channels, channels, 1)
        )

    def forward(self, deeper: Tensor, shallower: Tensor) -> Tensor:
        """N x C x h x w and N x C x H x W -> N x C x H x W."""
        pooled = torch.cat([_mean(shallower), _mean(deeper)], 1)
        gate: Tensor = self.convreluconv(pooled).sigmoid()
        return shallower * gate + resize(deeper, shallower.shape[-2:])


class Projection(nn.Module):
    """Two bicubic doublings and two convolutions to one channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(channels // 2, 1, 3, padding=1)

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedProjection(self)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x 1 x 4H x 4W."""
        x = F.relu(self.conv1(_double(x)))
        logits: Tensor = self.conv2(_double(x))
        return logits


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False)


class FRTMMaskHead(nn.Module):
    """Decoder from the deepest to the shallowest of some backbone stages.

    Args:
        fused_channels: channels of the fused features.
        stage_channels: channels of the stages, shallowest (stride 4) first. In the state dict the
            stages are layer2, layer3, ...: one more than the backbone's own numbers.
        channels: width of the decoder.
    """

    def __init__(self, fused_channels: int, stage_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        named = {f"layer{i}": c for i, c in enumerate(stage_channels, 2)}
        self._levels = tuple(reversed(named))
        self.TSE = nn.ModuleDict(
            {k: TargetEncoder(named[k], fused_channels, channels) for k in self._levels}
        )
        self.RRB1 = nn.ModuleDict({k: ResidualRefinement(channels) for k in self._levels})
        self.CAB = nn.ModuleDict({k: _ChannelAttention(channels) for k in self._levels})
        self.RRB2 = nn.ModuleDict({k: ResidualRefinement(channels) for k in self._levels})
        self.project = Projection(channels)

    def forward(self, fused: Tensor, laterals: Sequence[Tensor]) -> Tensor:
        """Mask logits at four times the size of the shallowest stage.

        Args:
            fused: N x C x H x W.
            laterals: backbone stages, shallowest first.

        Returns:
            N x 1 x rows x columns.
        """
        carry: Tensor | None = None
        for level, stage in zip(self._levels, reversed(laterals), strict=True):
            encoded, deeper = self.TSE[level](stage, fused, carry)
            carry = self.RRB2[level](self.CAB[level](deeper, self.RRB1[level](encoded)))
        logits: Tensor = self.project(carry)
        return logits
