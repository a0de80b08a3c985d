"""The frtm mask head's modules, spared convolutions of enlarged maps and passes for sums."""

from copy import deepcopy
from typing import TYPE_CHECKING

from torch import Tensor, nn

from alpharefine.nets.inference.conv import RELU, FusedConv2d, merge_convolutions
from alpharefine.ops.resized_conv import arrange_taps, convolve_enlarged

if TYPE_CHECKING:
    from alpharefine.nets.refine.frtm_head import Projection, ResidualRefinement, TargetEncoder


class ResizedConv2d(nn.Module):
    """A 3 x 3 convolution, padding 1, of a resized map; its channels are mixed before resizing.

    Args:
        conv: the convolution.
        mode: "bilinear" or "bicubic".
    """

    taps: Tensor

    def __init__(self, conv: nn.Conv2d, mode: str) -> None:
        super().__init__()
        self._mode = mode
        self.register_buffer("taps", arrange_taps(conv.weight.detach()))
        self.bias = conv.bias

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """N x C x h x w -> N x C' x the rows and columns of `size`."""
        y = convolve_enlarged(x, self.taps, size, self._mode)
        return y if self.bias is None else y + self.bias[:, None, None]


class FusedTargetEncoder(nn.Module):
    """TSE: the correlation map's share of the first convolution is computed before enlarging it."""

    def __init__(self, encoder: "TargetEncoder") -> None:
        super().__init__()
        first, *others = encoder.transform
        last_of_stage = encoder.reduce[-1]
        assert isinstance(first, nn.Conv2d) and isinstance(last_of_stage, nn.Conv2d)
        of_stage, of_map = _split_inputs(first, last_of_stage.out_channels)
        self.reduce = nn.Sequential(*merge_convolutions(encoder.reduce))
        self.of_stage = FusedConv2d(of_stage, activation=RELU)
        self.of_map = ResizedConv2d(of_map, "bilinear")
        # The first one is the activation that `of_stage` has.
        self.others = nn.Sequential(*merge_convolutions(others[1:]))

    def forward(self, stage: Tensor, fused: Tensor, carry: Tensor | None) -> tuple[Tensor, Tensor]:
        """As `TargetEncoder.forward`."""
        reduced = self.reduce(stage)
        height, width = stage.shape[-2:]
        joined = self.of_stage(reduced, self.of_map(fused, (height, width)))
        deeper = reduced.mean((2, 3), keepdim=True) if carry is None else carry
        return self.others(joined), deeper


def _split_inputs(conv: nn.Conv2d, count: int) -> tuple[nn.Conv2d, nn.Conv2d]:
    """The convolution of the first `count` channels, with the bias, and that of the others."""
    first, others = deepcopy(conv), deepcopy(conv)
    for part, inputs in ((first, slice(count)), (others, slice(count, None))):
        part.weight = nn.Parameter(conv.weight.detach()[:, inputs])
        part.in_channels = part.weight.shape[1]
    others.bias = None
    return first, others


class FusedResidualRefinement(nn.Module):
    """RRB: the last convolution adds the block's input."""

    def __init__(self, block: "ResidualRefinement") -> None:
        super().__init__()
        self.conv1x1 = FusedConv2d(block.conv1x1)
        *inner, last = block.bblock
        assert isinstance(last, nn.Conv2d)
        self.inner = nn.Sequential(*merge_convolutions(inner))
        self.last = FusedConv2d(last, activation=RELU)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> the same shape."""
        x = self.conv1x1(x)
        return self.last(self.inner(x), x)


class FusedProjection(nn.Module):
    """Both convolutions run before their doubling."""

    def __init__(self, projection: "Projection") -> None:
        super().__init__()
        self.conv1 = ResizedConv2d(projection.conv1, "bicubic")
        self.conv2 = ResizedConv2d(projection.conv2, "bicubic")

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x 1 x 4H x 4W."""
        height, width = x.shape[-2:]
        x = self.conv1(x, (2 * height, 2 * width)).relu_()
        return self.conv2(x, (4 * height, 4 * width))
