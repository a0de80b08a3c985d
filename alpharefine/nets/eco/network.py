"""ECO's features of a crop."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.eco.config import EcoNetConfig
from alpharefine.nets.normalization import unit_power


class EcoNet(nn.Module):
    """Shallow features of stride 4 and deep ones of stride 16.

    Attributes:
        config: what it was built from.
        channels: of the shallow and of the deep features.

    Example:
        >>> import torch
        >>> shallow, deep = EcoNet(EcoNetConfig()).eval()(torch.zeros(1, 3, 208, 208))
        >>> shallow.shape[1:], deep.shape[1:]
        (torch.Size([96, 52, 52]), torch.Size([256, 13, 13]))

    Source: Danelljan et al. (ECO), CVPR 2017.
    """

    def __init__(self, config: EcoNetConfig) -> None:
        super().__init__()
        self.config = config
        self.shallow = nn.Conv2d(3, config.shallow_channels, 7, 2, 3)
        self.backbone = build_backbone(config.backbone, last_stage=config.stage)
        self.channels = (config.shallow_channels, self.backbone.channels[config.stage])

    def maps(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Feature maps of normalized crops, N x 3 x S x S, of stride 2 and 16."""
        shallow = F.relu(self.shallow(images))
        shallow = _normalize_response(shallow)
        return shallow, self.backbone(images, {self.config.stage})[self.config.stage]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of normalized crops, N x 3 x S x S; the mean of each sample's squares is 1."""
        shallow, deep = self.maps(images)
        return unit_power(F.avg_pool2d(shallow, 2)), unit_power(deep)


class SharedEcoNet(nn.Module):
    """ECO's features from the backbone of a DiMP network, which is not copied.

    Args:
        network: in the form that it is run in.
        stages: of the shallow and of the deep features.
    """

    def __init__(self, network: DimpNet, stages: tuple[str, str] = ("layer1", "layer3")) -> None:
        super().__init__()
        self.backbone = network.backbone
        self.stages = stages

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of normalized crops, N x 3 x S x S; the mean of each sample's squares is 1."""
        maps = self.backbone(images, self.stages)
        shallow, deep = (unit_power(maps[stage]) for stage in self.stages)
        return shallow, deep


def _normalize_response(x: Tensor) -> Tensor:
    """Local response normalization across 5 channels, which torch has for float32 alone."""
    squares = F.pad(x.float().square(), (0, 0, 0, 0, 2, 2))
    channels = x.shape[1]
    mean = torch.stack([squares[:, k : k + channels] for k in range(5)]).mean(0)
    return x / (5e-4 * mean + 2).pow(0.75).to(x.dtype)
