"""The ATOM network: backbone and box regressor."""

from torch import Tensor, nn

from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.backbones.stages import STRIDES
from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.nets.iou.features import OnlineFeatures
from alpharefine.nets.normalization import unit_power


class AtomNet(nn.Module):
    """ATOM without its classifier, which is learned in each video.

    Attributes:
        config: what it was built from.
        stride: crop pixels per cell of the classification feature.

    Example:
        >>> import torch
        >>> net = AtomNet(AtomNetConfig()).eval()
        >>> net(torch.zeros(1, 3, 288, 288)).classification.shape
        torch.Size([1, 256, 18, 18])
    """

    def __init__(self, config: AtomNetConfig) -> None:
        super().__init__()
        self.config = config
        self.stride = STRIDES[config.clf_stage]
        self.backbone = build_backbone(config.backbone, last_stage=config.clf_stage)
        channels = self.backbone.channels
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
        classification = unit_power(stages[self.config.clf_stage])
        return OnlineFeatures(classification, IouFeatures(stages[fine], stages[coarse]))
