"""The RT-MDNet network: convolutions of a whole scene, and the layers that boxes share."""

from collections.abc import Mapping

from torch import Tensor, nn

from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.mdnet.config import MdNetConfig
from alpharefine.ops.lateral import lateral_sum


class PixelNorm(nn.Module):
    """Each value by a power of its own square: local response normalization over one cell."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        # Squares in float32: these are features of pixels up to 128, not up to 1.
        return x / (x.float().square() * 1e-4 + 2).pow(0.75).to(x.dtype)


class MdNet(nn.Module):
    """RT-MDNet without its last layer, of which each video has its own.

    Subclasses give maps of normalized scenes, N x 3 x H x W -> N x C x h x w.

    Attributes:
        config: what it was built from.
        stride: scene pixels per cell of the map.
        receptive_field: scene pixels around a cell's middle that the map has no cells for at its
            borders, as boxes are mapped: 0 where convolutions are padded.
        roi_cells: side of the part of the map that stands for a box.

    Source: Jung et al. (RT-MDNet), ECCV 2018.
    """

    stride = 8
    receptive_field = 0
    roi_cells = 3

    def __init__(self, config: MdNetConfig) -> None:
        super().__init__()
        self.config = config
        inputs = config.channels * self.roi_cells**2
        self.fc4 = nn.Sequential(nn.Linear(inputs, config.hidden), nn.ReLU())
        self.fc5 = nn.Sequential(
            nn.Dropout(0.5), nn.Linear(config.hidden, config.hidden), nn.ReLU()
        )

    @property
    def hidden_layers(self) -> tuple[nn.Linear, nn.Linear]:
        """The layers that boxes share, which videos go on training."""
        first, second = self.fc4[0], self.fc5[1]
        assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
        return first, second


class VggMdNet(MdNet):
    """The published network: VGG-M's first layers with wider maps.

    Example:
        >>> import torch
        >>> net = VggMdNet(MdNetConfig()).eval()
        >>> net(torch.zeros(1, 3, 192, 192)).shape
        torch.Size([1, 512, 15, 15])
    """

    receptive_field = 75

    def __init__(self, config: MdNetConfig) -> None:
        super().__init__(config)
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, 96, 7, 2), nn.ReLU(), PixelNorm(), nn.MaxPool2d(3, 2)
        )
        self.conv2 = nn.Sequential(nn.Conv2d(96, 256, 5, 2), nn.ReLU(), PixelNorm())
        self.conv3 = nn.Sequential(nn.Conv2d(256, config.channels, 3, dilation=3), nn.ReLU())

    def forward(self, scenes: Tensor) -> Tensor:
        """Maps of normalized scenes: N x 3 x H x W -> N x C x h x w."""
        maps: Tensor = self.conv3(self.conv2(self.conv1(scenes)))
        return maps


class PyramidMdNet(MdNet):
    """A backbone's strides 8 and 16, projected and added.

    Example:
        >>> import torch
        >>> config = MdNetConfig(hidden=128, channels=64, backbone="efficientnet_lite0")
        >>> PyramidMdNet(config).eval()(torch.zeros(1, 3, 160, 120)).shape
        torch.Size([1, 64, 20, 15])
    """

    STAGES = ("layer2", "layer3")

    def __init__(self, config: MdNetConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config.backbone, last_stage=self.STAGES[-1])
        self.lateral = nn.ModuleDict(
            {
                stage: nn.Conv2d(self.backbone.channels[stage], config.channels, 1)
                for stage in self.STAGES
            }
        )

    def forward(self, scenes: Tensor) -> Tensor:
        """Maps of normalized scenes: N x 3 x H x W -> N x C x H/8 x W/8."""
        return self.join(self.backbone(scenes, self.STAGES))

    def join(self, stages: Mapping[str, Tensor]) -> Tensor:
        """Maps of the backbone's stages, by their names."""
        return lateral_sum([self.lateral[stage](stages[stage]) for stage in self.STAGES]).relu()
