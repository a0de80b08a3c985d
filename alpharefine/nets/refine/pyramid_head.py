"""Mask head of CVPR 2021: fused features refined by three shallow feature maps."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


def _conv3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def _two_convs(in_channels: int, hidden: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        _conv3(in_channels, hidden), nn.ReLU(), _conv3(hidden, out_channels), nn.ReLU()
    )


def resize(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear resize (no half-pixel shift at the corners) to (rows, columns)."""
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


class PyramidMaskHead(nn.Module):
    """SiamMask-style refinement from coarse to fine.

    Level i (2 coarsest .. 0 finest) adds a lateral map of 16 * widths[2 - i] channels.

    Args:
        in_channels: channels of the fused features.
        widths: channels inside the levels 2, 1, 0.

    Source: Wang et al., "SiamMask" (CVPR 2019), appendix; Alpha-Refine, section 3.3.
    """

    def __init__(self, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        coarse, middle, fine = widths
        self.v0 = _two_convs(16 * fine, 4 * fine, fine)
        self.v1 = _two_convs(16 * middle, 4 * middle, middle)
        self.v2 = _two_convs(16 * coarse, 4 * coarse, coarse)
        self.h2 = _two_convs(in_channels, coarse, coarse)
        self.h1 = _two_convs(middle, middle, middle)
        self.h0 = _two_convs(fine, fine, fine)
        self.post0 = _conv3(coarse, middle)
        self.post1 = _conv3(middle, fine)
        self.post2 = _conv3(fine, 1)

    @staticmethod
    def lateral_channels(widths: Sequence[int]) -> tuple[int, ...]:
        """Channels of the lateral maps, finest first."""
        return tuple(16 * width for width in reversed(widths))

    def forward(self, fused: Tensor, laterals: Sequence[Tensor]) -> Tensor:
        """Mask logits at the size of the finest lateral map.

        Args:
            fused: N x C x H x W.
            laterals: three maps, finest first.

        Returns:
            N x 1 x rows x columns.
        """
        fine, middle, coarse = laterals
        x = self.post0(resize(self.h2(fused), coarse.shape[-2:]) + self.v2(coarse))
        x = self.post1(resize(self.h1(x), middle.shape[-2:]) + self.v1(middle))
        logits: Tensor = self.post2(resize(self.h0(x), fine.shape[-2:]) + self.v0(fine))
        return logits
