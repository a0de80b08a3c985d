"""Sizes of a SiamFC+ network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpharefine.nets.backbones.cir_names import cir_renames

if TYPE_CHECKING:
    from alpharefine.nets.siamfc.network import SiamFcNet


@dataclass(frozen=True)
class SiamFcNetConfig:
    """Sizes of a SiamFC+ network.

    Attributes:
        backbone: name in `alpharefine.nets.backbones.cir.CROPPED_BACKBONES`.
        score_scale: factor of the score map; the published one, found by trial.

    Source: Zhang and Peng (SiamDW), CVPR 2019, and the published networks.
    """

    backbone: str = "cir_resnet22"
    score_scale: float = 0.1

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return cir_renames(self.backbone)

    def build(self) -> "SiamFcNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.siamfc.network import SiamFcNet

        return SiamFcNet(self)
