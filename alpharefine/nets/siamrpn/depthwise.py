"""The SiamRPN++ network: depth-wise correlation at three depths of a dilated ResNet."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig
from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.ops.correlation import depthwise_correlation
from alpharefine.ops.lateral import lateral_sum

_JOINED = "joined"
"""Name of the only level where stages are joined."""


class LevelKernels(NamedTuple):
    """Kernels of one level, N x C x k x k each."""

    classification: Tensor
    regression: Tensor


class CorrelationBranch(nn.Module):
    """Template and search features are prepared apart, correlated channel by channel, and read.

    Args:
        channels: of the features.
        outputs: of the answer.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.template = _conv_bn_relu(channels, channels, 3)
        self.search = _conv_bn_relu(channels, channels, 3)
        self.head = _conv_bn_relu(channels, channels, 1)
        self.head.append(nn.Conv2d(channels, outputs, 1))

    def forward(self, search: Tensor, kernel: Tensor) -> Tensor:
        """N x C x H x W with N x C x k x k, the output of `template` -> N x outputs x h x w."""
        return self.head(depthwise_correlation(kernel, self.search(search), padded=False))


class RpnLevel(nn.Module):
    """Both branches behind one backbone stage."""

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        self.classification = CorrelationBranch(channels, 2 * anchors)
        self.regression = CorrelationBranch(channels, 4 * anchors)
        # A network without training answers the anchors.
        for parameter in self.regression.head[-1].parameters():
            nn.init.zeros_(parameter)

    def kernels(self, template: Tensor) -> LevelKernels:
        """Of adjusted template features, N x C x h x w."""
        return LevelKernels(
            self.classification.template(template), self.regression.template(template)
        )

    def forward(self, search: Tensor, kernels: LevelKernels) -> tuple[Tensor, Tensor]:
        """N x C x H x W adjusted search features -> N x 2 A x h x w, N x 4 A x h x w."""
        return (
            self.classification(search, kernels.classification),
            self.regression(search, kernels.regression),
        )


class DepthwiseRpnNet(nn.Module):
    """SiamRPN++.

    Example:
        >>> import torch
        >>> net = DepthwiseRpnNet(DepthwiseRpnConfig()).eval()
        >>> template = net.template(net.features(torch.zeros(1, 3, 127, 127)))
        >>> net.predict(net.features(torch.zeros(1, 3, 255, 255)), template).offsets.shape
        torch.Size([1, 4, 5, 25, 25])

    Source: Li et al., "SiamRPN++" (CVPR 2019), section 3.
    """

    def __init__(self, config: DepthwiseRpnConfig) -> None:
        super().__init__()
        self.config = config
        last_stage = max(config.stages, key=STAGES.index)
        self.backbone = build_backbone(config.backbone, last_stage, config.dilated)
        channels = self.backbone.channels
        self.adjust = nn.ModuleDict(
            {stage: conv_bn(channels[stage], config.channels) for stage in config.stages}
        )
        names = (_JOINED,) if config.joined else config.stages
        self.levels = nn.ModuleDict(
            {name: RpnLevel(config.channels, config.anchors) for name in names}
        )
        if config.fusion == "learned":
            self.classification_weights = nn.Parameter(torch.ones(len(names)))
            self.regression_weights = nn.Parameter(torch.ones(len(names)))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """N x 3 x S x S normalized images -> stage -> N x C x s x s."""
        return self.backbone(images, self.config.stages)

    def template(self, features: Mapping[str, Tensor]) -> dict[str, LevelKernels]:
        """Level -> the kernels that the middle of a template gives.

        Args:
            features: stage -> N x C x s x s of a template, s at least `template_cells`.
        """
        kernels: dict[str, LevelKernels] = {}
        for name, adjusted in self._adjusted(features).items():
            level = self.levels[name]
            assert isinstance(level, RpnLevel)
            kernels[name] = level.kernels(middle_cells(adjusted, self.config.template_cells))
        return kernels

    def predict(
        self, features: Mapping[str, Tensor], template: Mapping[str, LevelKernels]
    ) -> RpnMaps:
        """Scores and boxes in the search image of these features (stage -> N x C x s x s)."""
        answers = [
            self.levels[name](adjusted, template[name])
            for name, adjusted in self._adjusted(features).items()
        ]
        classification, regression = (torch.stack(maps, -1) for maps in zip(*answers, strict=True))
        if self.config.fusion == "mean":
            return RpnMaps(classification.mean(-1), regression.mean(-1))
        return RpnMaps(
            classification @ self.classification_weights.softmax(0),
            regression @ self.regression_weights.softmax(0),
        )

    def _adjusted(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Level -> N x C x s x s."""
        maps = {stage: self.adjust[stage](features[stage]) for stage in self.config.stages}
        return {_JOINED: lateral_sum([*maps.values()])} if self.config.joined else maps


def middle_cells(x: Tensor, cells: int) -> Tensor:
    """The `cells` x `cells` middle of N x C x s x s."""
    offset = (x.shape[-1] - cells) // 2
    return x[..., offset : offset + cells, offset : offset + cells]


def conv_bn(in_channels: int, out_channels: int, size: int = 1) -> nn.Sequential:
    """A convolution without bias or padding, and batch normalization."""
    conv = nn.Conv2d(in_channels, out_channels, size, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))


def _conv_bn_relu(in_channels: int, out_channels: int, size: int) -> nn.Sequential:
    return conv_bn(in_channels, out_channels, size).append(nn.ReLU(inplace=True))
