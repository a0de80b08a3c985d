"""The DiMP network: backbone, target classifier, box regressor."""

from dataclasses import dataclass

from torch import Tensor, nn

from alpharefine.nets.backbones import build_backbone
from alpharefine.nets.dimp.box_regressor import BoxRegressor, IouFeatures
from alpharefine.nets.dimp.classifier import TargetClassifier
from alpharefine.nets.dimp.config import DimpNetConfig


@dataclass(frozen=True)
class DimpFeatures:
    """Features of a batch of crops.

    Attributes:
        classification: normalised classification feature, N x C x H/16 x W/16.
        iou: backbone features that the box regressor reads, stride 8 and 16.
    """

    classification: Tensor
    iou: IouFeatures


class DimpNet(nn.Module):
    """DiMP with the PrDiMP box regressor ("super_dimp" with the default sizes).

    Parameter names are those of the official checkpoint; layers that nothing reads are not built.

    Example:
        >>> import torch
        >>> net = DimpNet(DimpNetConfig()).eval()
        >>> net(torch.zeros(1, 3, 352, 352)).classification.shape
        torch.Size([1, 512, 22, 22])
    """

    def __init__(self, config: DimpNetConfig) -> None:
        super().__init__()
        self.config = config
        self.feature_extractor = build_backbone(config.backbone, last_stage=config.clf_stage)
        channels = self.feature_extractor.channels
        self.classifier = TargetClassifier(
            channels[config.clf_stage],
            config.clf_channels,
            config.clf_blocks,
            config.filter_size,
            config.label_bins,
            config.bin_width,
        )
        fine, coarse = config.iou_stages
        self.bb_regressor = BoxRegressor(
            channels[fine], channels[coarse], config.iou_channels, config.iou_reference_channels
        )

    def forward(self, images: Tensor) -> DimpFeatures:
        """Features of normalised crops, N x 3 x S x S."""
        fine, coarse = self.config.iou_stages
        stages = self.feature_extractor(images, {fine, coarse, self.config.clf_stage})
        classification = self.classifier.feature_extractor(stages[self.config.clf_stage])
        return DimpFeatures(classification, IouFeatures(stages[fine], stages[coarse]))


NETWORKS: dict[str, DimpNetConfig] = {
    "super_dimp": DimpNetConfig(),
    "dimp_lite": DimpNetConfig(
        backbone="efficientnet_lite0",
        clf_channels=256,
        clf_blocks=2,
        iou_channels=128,
        iou_reference_channels=64,
    ),
}


def build_dimp_network(name: str) -> DimpNet:
    """A named DiMP network with its initial random weights, in training mode."""
    return DimpNet(NETWORKS[name])
