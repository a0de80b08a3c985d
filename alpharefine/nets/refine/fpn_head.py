"""A light mask head: a feature pyramid from stride 16 to stride 4, answering at stride 2."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from alpharefine.nets.refine.pyramid_head import resize


def _conv_bn_relu(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class FPNMaskHead(nn.Module):
    """Top-down pyramid: at each stage the carry is enlarged, a lateral added, and both smoothed.

    The four values predicted in each stride-4 cell are its stride-2 pixels, so that no
    convolution runs above stride 4: several times cheaper than `PyramidMaskHead`.

    Args:
        fused_channels: channels of the fused features.
        stage_channels: channels of the backbone stages, shallowest (stride 4) first.
        widths: channels at each stage, deepest (stride 16) first.

    Source: Lin et al., "Feature Pyramid Networks" (CVPR 2017); the sub-pixel prediction of
        Shi et al. (CVPR 2016). Not part of the Alpha-Refine paper.
    """

    def __init__(
        self, fused_channels: int, stage_channels: Sequence[int], widths: Sequence[int]
    ) -> None:
        super().__init__()
        inputs = (fused_channels, *widths[:-1])
        deepest_first = tuple(reversed(stage_channels))
        self.carry = nn.ModuleList(
            nn.Conv2d(before, after, 1, bias=False)
            for before, after in zip(inputs, widths, strict=True)
        )
        self.lateral = nn.ModuleList(
            nn.Conv2d(stage, width, 1) for stage, width in zip(deepest_first, widths, strict=True)
        )
        self.smooth = nn.ModuleList(_conv_bn_relu(width, width) for width in widths)
        self.last = _conv_bn_relu(widths[-1], widths[-1])
        self.predict = nn.Conv2d(widths[-1], 4, 3, padding=1)

    def forward(self, fused: Tensor, laterals: Sequence[Tensor]) -> Tensor:
        """Mask logits at twice the size of the shallowest stage.

        Args:
            fused: N x C x H x W.
            laterals: backbone stages, shallowest first.

        Returns:
            N x 1 x rows x columns.
        """
        x = fused
        levels = zip(self.carry, self.lateral, self.smooth, reversed(laterals), strict=True)
        for carry, lateral, smooth, stage in levels:
            x = smooth(F.relu(resize(carry(x), stage.shape[-2:]) + lateral(stage)))
        return F.pixel_shuffle(self.predict(self.last(x)), 2)
