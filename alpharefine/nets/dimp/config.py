"""Sizes of a DiMP network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from alpharefine.nets.dimp.network import DimpNet


@dataclass(frozen=True)
class DimpNetConfig:
    """Sizes of a DiMP network; the defaults are DiMP-50's and super_dimp's (ResNet-50).

    Attributes:
        backbone: name in `alpharefine.nets.backbones.build`.
        clf_stage: backbone stage that the classifier reads (stride 16).
        iou_stages: backbone stages that the box regressor reads (stride 8, stride 16).
        clf_channels: channels of the classification feature and of the target filter.
        clf_blocks: residual blocks before the classification feature's last convolution.
        clf_block: their kind: ResNet's "basic" one, as in DiMP-18, or a "linear" one, which does
            not end in a ReLU.
        filter_size: side of the target filter, feature cells.
        iou_channels: width of the box regressor.
        iou_reference_channels: width of its first reference convolution at stride 8.
        label_bins: entries of each learned radial function of the filter optimizer.
        bin_width: distance between two entries, score cells.

    Source: Bhat et al. (DiMP), ICCV 2019, section 3; Danelljan et al. (PrDiMP), CVPR 2020.
    """

    backbone: str = "resnet50"
    clf_stage: str = "layer3"
    iou_stages: tuple[str, str] = ("layer2", "layer3")
    clf_channels: int = 512
    clf_blocks: int = 0
    clf_block: Literal["basic", "linear"] = "linear"
    filter_size: int = 4
    iou_channels: int = 256
    iou_reference_channels: int = 128
    label_bins: int = 100
    bin_width: float = 0.1

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {
            "feature_extractor.": "backbone.",
            "classifier.feature_extractor.": "classifier.feature.",
            "bb_regressor.": "box_regressor.",
        }

    def build(self) -> "DimpNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.dimp.network import DimpNet

        return DimpNet(self)
