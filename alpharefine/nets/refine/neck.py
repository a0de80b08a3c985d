"""Fusion of the reference kernel with the search features."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from alpharefine.ops.correlation import (
    depthwise_correlation,
    naive_correlation,
    pixelwise_correlation,
)

CORRELATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "pixelwise": pixelwise_correlation,
    "depthwise": depthwise_correlation,
    "naive": naive_correlation,
}


class SqueezeExcite(nn.Module):
    """Channel attention: every channel is scaled by a gate computed from all channels' means.

    Source: Hu et al., CVPR 2018; the two 1 x 1 convolutions have biases here.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> the same shape."""
        gate: Tensor = self.fc2(self.fc1(x.mean((2, 3), keepdim=True)).relu()).sigmoid()
        return x * gate


class NonLocalBlock(nn.Module):
    """Residual self-attention over positions, with keys and values pooled 2 x 2.

    Source: Wang et al., "Non-local Neural Networks" (CVPR 2018), embedded Gaussian, unscaled.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 2, 1)
        self.g = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.MaxPool2d(2))
        self.W = nn.Sequential(nn.Conv2d(hidden, channels, 1), nn.BatchNorm2d(channels))
        self.theta = nn.Conv2d(channels, hidden, 1)
        self.phi = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.MaxPool2d(2))

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> the same shape; H and W at least 2."""
        n, _, height, width = x.shape
        queries = self.theta(x).flatten(2).transpose(1, 2)
        keys = self.phi(x).flatten(2)
        values = self.g(x).flatten(2).transpose(1, 2)
        attended = (queries @ keys).softmax(-1) @ values
        residual: Tensor = self.W(attended.transpose(1, 2).reshape(n, -1, height, width))
        return x + residual


class FusionNeck(nn.Module):
    """Correlation, optional 1 x 1 convolutions, squeeze-excite, optional non-local block.

    Args:
        correlation: key of `CORRELATIONS`.
        in_channels: channels that the correlation gives.
        widths: output channels of the 1 x 1 conv + BN + ReLU blocks behind it; may be empty.
        reduction: squeeze-excite reduction.
        non_local: append a non-local block.

    Attributes:
        channels: channels of the fused features.
    """

    def __init__(
        self,
        correlation: str,
        in_channels: int,
        widths: Sequence[int],
        reduction: int,
        non_local: bool,
    ) -> None:
        super().__init__()
        self.correlate = CORRELATIONS[correlation]
        inputs = (in_channels, *widths)
        self.post_corr = nn.Sequential(
            *(
                layer
                for before, after in zip(inputs[:-1], widths, strict=True)
                for layer in (nn.Conv2d(before, after, 1), nn.BatchNorm2d(after), nn.ReLU())
            )
        )
        self.channels = inputs[-1]
        self.channel_attention = SqueezeExcite(self.channels, reduction)
        self.spatial_attention = NonLocalBlock(self.channels) if non_local else nn.Identity()

    def forward(self, kernel: Tensor, search: Tensor) -> Tensor:
        """Fused features.

        Args:
            kernel: N x C x P x P, or 1 x C x P x P for all images.
            search: N x C x H x W.

        Returns:
            N x `channels` x H x W.
        """
        fused = self.channel_attention(self.post_corr(self.correlate(kernel, search)))
        attended: Tensor = self.spatial_attention(fused)
        return attended
