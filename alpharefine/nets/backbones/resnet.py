"""ResNet without the stages that nothing reads.

torchvision's would do, were it not that importing torchvision takes longer than importing torch
(it loads torch's compiler): a second before each handshake.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.inference.conv import RELU, FusedConv2d
from alpharefine.nets.inference.forms import put_into_inference_form
from alpharefine.nets.inference.residual import FusedResidualBlock


class Window(NamedTuple):
    """How a 3 x 3 convolution moves over its input, cells."""

    stride: int = 1
    padding: int = 1
    dilation: int = 1


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut.

    Args:
        in_channels: of the input.
        width: channels of the convolutions.
        window: of the first convolution; the second has its dilation.
        shortcut_size: side of the shortcut's kernel, 1 or 3; one of 3 has the same window.
    """

    expansion = 1

    def __init__(
        self, in_channels: int, width: int, window: Window, shortcut_size: int = 1
    ) -> None:
        super().__init__()
        self.conv1 = _conv(in_channels, width, 3, window)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, Window(1, window.dilation, window.dilation))
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(in_channels, width, window, shortcut_size)

    @property
    def convolutions(self) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Its convolutions, each with the norm behind it."""
        return [(self.conv1, self.bn1), (self.conv2, self.bn2)]

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedResidualBlock(self)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        y = F.relu(self.bn1(self.conv1(x)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(y)) + shortcut)


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolution, the last four times as wide, and a shortcut.

    Args:
        in_channels: of the input.
        width: channels of the 3 x 3 convolution.
        window: of the 3 x 3 convolution.
        shortcut_size: side of the shortcut's kernel, 1 or 3; one of 3 has the same window.
    """

    expansion = 4

    def __init__(
        self, in_channels: int, width: int, window: Window, shortcut_size: int = 1
    ) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = _conv(in_channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = _conv(width, width, 3, window)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = _conv(width, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, window, shortcut_size)

    @property
    def convolutions(self) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Its convolutions, each with the norm behind it."""
        return [(self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)]

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedResidualBlock(self)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn3(self.conv3(y)) + shortcut)


_VARIANTS: dict[str, tuple[type[BasicBlock | Bottleneck], tuple[int, ...]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}
_STEM_CHANNELS = 64
_SINGLE_CELL = Window(padding=0)
_WIDTHS = (64, 128, 256, 512)


class _Layout(NamedTuple):
    """Geometry of a whole ResNet: windows of each stage's first block and of its other blocks."""

    stem: Window
    windows: Mapping[str, tuple[Window, Window]]
    shortcut_sizes: Mapping[str, int]


_PLAIN = _Layout(
    Window(2, 3),
    # The pooling before layer1 halves in its place.
    {stage: (Window(1 if stage == "layer1" else 2), Window()) for stage in STAGES[1:]},
    dict.fromkeys(STAGES[1:], 1),
)
_DILATED = _Layout(
    Window(2, 0),
    {
        "layer1": (Window(), Window()),
        "layer2": (Window(2, 0), Window()),
        "layer3": (Window(), Window(1, 2, 2)),
        "layer4": (Window(1, 2, 2), Window(1, 4, 4)),
    },
    {"layer1": 1, "layer2": 3, "layer3": 3, "layer4": 3},
)


class ResNetBackbone(nn.Module):
    """ResNet up to a stage, with torchvision's parameter names.

    Args:
        name: "resnet18", "resnet34" or "resnet50".
        last_stage: the deepest stage that is built and can be asked for.
        dilated: layer3 and layer4 keep the stride 8 of layer2 and are dilated instead; the stem and
            the halving block of layer2 are not padded, and from layer2 on shortcuts are 3 x 3.

    Sources: He et al., CVPR 2016; stride in the 3x3 convolution of a bottleneck, as torchvision;
    dilated: Li et al., "SiamRPN++" (CVPR 2019), section 3.2, with its published network's padding.
    """

    def __init__(self, name: str, last_stage: str, dilated: bool = False) -> None:
        super().__init__()
        block, depths = _VARIANTS[name]
        layout = _DILATED if dilated else _PLAIN
        self.name = name
        self.stages = STAGES[: STAGES.index(last_stage) + 1]
        widths = (_STEM_CHANNELS, *(block.expansion * width for width in _WIDTHS))
        self.channels = dict(zip(STAGES, widths, strict=True))
        self.conv1: nn.Module = _conv(3, _STEM_CHANNELS, 7, layout.stem)
        self.bn1: nn.Module = nn.BatchNorm2d(_STEM_CHANNELS)
        self.relu: nn.Module = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for i, stage in enumerate(self.stages[1:]):
            window, others = layout.windows[stage]
            first = block(widths[i], _WIDTHS[i], window, layout.shortcut_sizes[stage])
            rest = (block(widths[i + 1], _WIDTHS[i], others) for _ in range(depths[i] - 1))
            self.add_module(stage, nn.Sequential(first, *rest))

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`: the stem's norm and ReLU join its convolution."""
        if isinstance(self.conv1, nn.Conv2d) and isinstance(self.bn1, nn.BatchNorm2d):
            self.conv1 = FusedConv2d(self.conv1, self.bn1, RELU)
            self.bn1, self.relu = nn.Identity(), nn.Identity()
        put_into_inference_form(self)
        return self

    def forward(self, images: Tensor, outputs: Collection[str]) -> dict[str, Tensor]:
        """Features of normalized images.

        Args:
            images: N x 3 x H x W, normalized as the weights ask for.
            outputs: stage names to return; nothing deeper than the deepest of them is run.

        Returns:
            stage name -> N x C x H/stride x W/stride, less what is not padded; conv1 is taken
            after its ReLU.
        """
        features: dict[str, Tensor] = {}
        x = self.relu(self.bn1(self.conv1(images)))
        for stage in self.stages:
            if stage == "layer1":
                x = self.maxpool(x)
            if stage != "conv1":
                x = self.get_submodule(stage)(x)
            if stage in outputs:
                features[stage] = x
            if len(features) == len(outputs):
                break
        return features


def _conv(
    in_channels: int, out_channels: int, size: int, window: Window = _SINGLE_CELL
) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, size, *window, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def _shortcut(
    in_channels: int, out_channels: int, window: Window, size: int
) -> nn.Sequential | None:
    """What brings a block's input to the shape of its output, if they differ."""
    if window.stride == 1 and in_channels == out_channels:
        return None
    if size == 1:
        window = Window(window.stride, 0)
    return nn.Sequential(
        _conv(in_channels, out_channels, size, window), nn.BatchNorm2d(out_channels)
    )
