"""The DiMP network: backbone, target classifier, box regressor."""

from torch import Tensor, nn

from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.backbones.stages import STRIDES
from alpharefine.nets.dimp.classifier import TargetClassifier
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.nets.iou.features import OnlineFeatures


class DimpNet(nn.Module):
    """DiMP; the box regressor learns IoU (DiMP-50, DiMP-18) or a log-density (super_dimp).

    Layers of the official network that nothing reads are not built.

    Attributes:
        config: what it was built from.
        stride: crop pixels per cell of the classification feature and of score maps.

    Example:
        >>> import torch
        >>> net = DimpNet(DimpNetConfig()).eval()
        >>> net(torch.zeros(1, 3, 352, 352)).classification.shape
        torch.Size([1, 512, 22, 22])
    """

    def __init__(self, config: DimpNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = STRIDES[config.clf_stage]
        self.backbone = build_backbone(config.backbone, last_stage=config.clf_stage)
        channels = self.backbone.channels
        self.classifier = TargetClassifier(channels[config.clf_stage], self.stride, config)
        fine, coarse = config.iou_stages
        self.box_regressor = BoxRegressor(
            channels[fine],
            channels[coarse],
            config.iou_channels,
            config.iou_reference_channels,
            (STRIDES[fine], STRIDES[coarse]),
        )

    def forward(self, images: Tensor) -> OnlineFeatures:
        """Features of normalized crops, N x 3 x S x S."""
        fine, coarse = self.config.iou_stages
        stages = self.backbone(images, {fine, coarse, self.config.clf_stage})
        classification = self.classifier.feature(stages[self.config.clf_stage])
        return OnlineFeatures(classification, IouFeatures(stages[fine], stages[coarse]))
