"""Color names and histograms of oriented gradients, in the place of a network."""

from torch import Tensor, nn

from alpharefine.nets.handcrafted.config import HandcraftedConfig
from alpharefine.nets.normalization import unit_power
from alpharefine.ops.color_names import color_names
from alpharefine.ops.hog import histograms_of_gradients


class HandcraftedFeatures(nn.Module):
    """What ECO's version without a network sees of a crop.

    Attributes:
        config: what it was built from.

    Example:
        >>> import torch
        >>> names, gradients = HandcraftedFeatures(HandcraftedConfig())(torch.zeros(1, 3, 112, 112))
        >>> names.shape[1:], gradients.shape[1:]
        (torch.Size([11, 28, 28]), torch.Size([31, 28, 28]))

    Source: Danelljan et al. (ECO), CVPR 2017, section 4.4 (ECO-HC).
    """

    def __init__(self, config: HandcraftedConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features of crops, N x 3 x S x S in 0..255; the mean of each sample's squares is 1."""
        images, cell = images.float(), self.config.cell
        names = color_names(images, cell)
        # What most of the crop looks like says nothing about the target.
        names = names - names.mean((2, 3), keepdim=True)
        return unit_power(names), unit_power(histograms_of_gradients(images, cell))
