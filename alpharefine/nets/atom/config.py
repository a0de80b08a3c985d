"""Sizes of an ATOM network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.nets.atom.network import AtomNet


@dataclass(frozen=True)
class AtomNetConfig:
    """Sizes of an ATOM network; its classifier is learned in each video, and no part of it.

    Attributes:
        backbone: name in `alpharefine.nets.backbones.build`.
        clf_stage: backbone stage that the classifier reads (stride 16).
        iou_stages: backbone stages that the box regressor reads (stride 8, stride 16).
        iou_channels: width of the box regressor.
        iou_reference_channels: width of its first reference convolution at stride 8.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 3, and the published network.
    """

    backbone: str = "resnet18"
    clf_stage: str = "layer3"
    iou_stages: tuple[str, str] = ("layer2", "layer3")
    iou_channels: int = 256
    iou_reference_channels: int = 128

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {"feature_extractor.": "backbone.", "bb_regressor.": "box_regressor."}

    def build(self) -> "AtomNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.atom.network import AtomNet

        return AtomNet(self)
