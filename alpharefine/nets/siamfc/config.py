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
        backbone: name in `alpharefine.nets.backbones.cir.CROPPED_BACKBONES`, or with `stages` in
            `alpharefine.nets.backbones.build.BACKBONES`.
        score_scale: factor of the score map; the published one, found by trial.
        stages: of a backbone with padding: those that are read, the finest first; they are adjusted
            to `channels` and added up. An addition to SiamFC+.
        channels: see `stages`.
        template_cells: side of the template's feature map, cut out of its middle; None takes all.

    Source: Zhang and Peng (SiamDW), CVPR 2019, and the published networks.
    """

    backbone: str = "cir_resnet22"
    score_scale: float = 0.1
    stages: tuple[str, ...] = ()
    channels: int = 0
    template_cells: int | None = None

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {} if self.stages else cir_renames(self.backbone)

    def build(self) -> "SiamFcNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.siamfc.network import SiamFcNet

        return SiamFcNet(self)
