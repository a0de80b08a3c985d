"""Sizes of ECO's features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.nets.eco.network import EcoNet


@dataclass(frozen=True)
class EcoNetConfig:
    """Sizes of ECO's features: VGG-M's first layer, and a stage of a ResNet.

    Attributes:
        backbone: name in `alpharefine.nets.backbones.build`.
        stage: of the backbone (stride 16).
        shallow_channels: of the first layer.

    Source: Danelljan et al. (ECO), CVPR 2017, and the network of its published PyTorch version.
    """

    backbone: str = "resnet18"
    stage: str = "layer3"
    shallow_channels: int = 96

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        parts = ("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.")
        return {"vggmconv1.": "shallow."} | {part: f"backbone.{part}" for part in parts}

    def build(self) -> "EcoNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.eco.network import EcoNet

        return EcoNet(self)
