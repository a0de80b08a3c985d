"""EfficientNet-Lite: inverted residuals without squeeze-excite, ReLU6, fixed stem."""

from collections.abc import Collection
from dataclasses import dataclass

from torch import Tensor, nn

from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.inference.residual import FusedShortcut


@dataclass(frozen=True)
class _BlockGroup:
    """Some equal inverted residual blocks; the first one has the stride."""

    stage: str
    kernel_size: int
    stride: int
    expansion: int
    channels: int
    repeats: int


_LITE0_GROUPS = (
    _BlockGroup("conv1", 3, 1, 1, 16, 1),
    _BlockGroup("layer1", 3, 2, 6, 24, 2),
    _BlockGroup("layer2", 5, 2, 6, 40, 2),
    _BlockGroup("layer3", 3, 2, 6, 80, 3),
    _BlockGroup("layer3", 5, 1, 6, 112, 3),
    _BlockGroup("layer4", 5, 2, 6, 192, 4),
    _BlockGroup("layer4", 3, 1, 6, 320, 1),
)
_STEM_CHANNELS = 32


def _conv_bn(
    in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    conv = nn.Conv2d(
        in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False
    )
    return [conv, nn.BatchNorm2d(out_channels, eps=1e-3, momentum=0.01)]


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project; a shortcut where shapes allow it."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [*_conv_bn(in_channels, hidden, 1), nn.ReLU6(inplace=True)]
        layers += [*_conv_bn(hidden, hidden, kernel_size, stride, hidden), nn.ReLU6(inplace=True)]
        layers += _conv_bn(hidden, out_channels, 1)
        self.layers = nn.Sequential(*layers)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`."""
        return FusedShortcut(self.layers, self.has_shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """N x C x H x W -> N x C' x H/stride x W/stride."""
        y: Tensor = self.layers(x)
        return x + y if self.has_shortcut else y


class EfficientNetLiteBackbone(nn.Module):
    """EfficientNet-Lite0 up to a stage.

    Convolutions are padded symmetrically, so that cell i looks at pixel i * stride as in ResNet;
    the published weights were trained with padding on one side and see the image shifted by half
    a cell, which changes nothing but the alignment.

    Source: Tan and Le, ICML 2019; the Lite variant of its authors' repository.
    """

    def __init__(self, last_stage: str) -> None:
        super().__init__()
        self.stages = STAGES[: STAGES.index(last_stage) + 1]
        self.channels: dict[str, int] = {}
        self.stem = nn.Sequential(*_conv_bn(3, _STEM_CHANNELS, 3, stride=2), nn.ReLU6(inplace=True))
        blocks: dict[str, list[nn.Module]] = {stage: [] for stage in self.stages}
        channels = _STEM_CHANNELS
        for group in _LITE0_GROUPS:
            if group.stage not in blocks:
                break
            for repeat in range(group.repeats):
                stride = group.stride if repeat == 0 else 1
                blocks[group.stage].append(
                    InvertedResidual(
                        channels, group.channels, group.kernel_size, stride, group.expansion
                    )
                )
                channels = group.channels
            self.channels[group.stage] = channels
        for stage, layers in blocks.items():
            self.add_module(stage, nn.Sequential(*layers))

    def forward(self, images: Tensor, outputs: Collection[str]) -> dict[str, Tensor]:
        """Features of normalized images, as `ResNetBackbone.forward`."""
        features: dict[str, Tensor] = {}
        x = self.stem(images)
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
            if stage in outputs:
                features[stage] = x
            if len(features) == len(outputs):
                break
        return features
