"""Sizes of an RT-MDNet network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.nets.mdnet.network import MdNet

VGG_M = "vgg_m"
"""The published network's own convolutions."""


@dataclass(frozen=True)
class MdNetConfig:
    """Sizes of an RT-MDNet network; the defaults are the published one's.

    Attributes:
        hidden: units of each hidden layer.
        channels: of the map that boxes are pooled from.
        backbone: `VGG_M`, first layers with wider maps; or a name in
            `alpharefine.nets.backbones.build`, whose strides 8 and 16 are added.

    Source: Jung et al. (RT-MDNet), ECCV 2018, section 3.1, and the published network.
    """

    hidden: int = 512
    channels: int = 512
    backbone: str = VGG_M

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {}

    def build(self) -> "MdNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.mdnet.network import PyramidMdNet, VggMdNet

        return VggMdNet(self) if self.backbone == VGG_M else PyramidMdNet(self)
