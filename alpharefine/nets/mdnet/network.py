"""The RT-MDNet network: convolutions of a whole scene, and the layers that boxes share."""

from torch import Tensor, nn

from alpharefine.nets.mdnet.config import MdNetConfig


class PixelNorm(nn.Module):
    """Each value by a power of its own square: local response normalization over one cell."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        # Squares in float32: these are features of pixels up to 128, not up to 1.
        return x / (x.float().square() * 1e-4 + 2).pow(0.75).to(x.dtype)


class MdNet(nn.Module):
    """RT-MDNet without its last layer, of which each video has its own.

    Attributes:
        config: what it was built from.
        stride: scene pixels per cell of the map.
        receptive_field: scene pixels that a cell sees, as boxes are mapped.
        roi_cells: side of the part of the map that stands for a box.

    Example:
        >>> import torch
        >>> net = MdNet(MdNetConfig()).eval()
        >>> net(torch.zeros(1, 3, 192, 192)).shape
        torch.Size([1, 512, 15, 15])

    Source: Jung et al. (RT-MDNet), ECCV 2018.
    """

    stride = 8
    receptive_field = 75
    roi_cells = 3

    def __init__(self, config: MdNetConfig) -> None:
        super().__init__()
        self.config = config
        channels = 512
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, 96, 7, 2), nn.ReLU(), PixelNorm(), nn.MaxPool2d(3, 2)
        )
        self.conv2 = nn.Sequential(nn.Conv2d(96, 256, 5, 2), nn.ReLU(), PixelNorm())
        self.conv3 = nn.Sequential(nn.Conv2d(256, channels, 3, dilation=3), nn.ReLU())
        inputs = channels * self.roi_cells**2
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

    def forward(self, scenes: Tensor) -> Tensor:
        """Maps of normalized scenes: N x 3 x H x W -> N x 512 x h x w."""
        return self.conv3(self.conv2(self.conv1(scenes)))
