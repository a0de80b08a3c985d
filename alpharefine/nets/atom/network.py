"""The ATOM network: backbone and box regressor."""

from torch import Tensor, nn

from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.nets.backbones.build import Backbone, build_backbone
from alpharefine.nets.backbones.stages import STRIDES
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.nets.iou.features import OnlineFeatures
from alpharefine.nets.normalization import unit_power


class AtomParts(nn.Module):
    """What ATOM's tracker needs of a network; its classifier is learned in each video.

    Args:
        backbone: of the stages that are read.
        box_regressor: of the stages in `iou_stages`.
        clf_stage: backbone stage that the classifier reads.
        iou_stages: those that the box regressor reads, the finer one first.

    Attributes:
        stride: crop pixels per cell of the classification feature.
    """

    def __init__(
        self,
        backbone: Backbone,
        box_regressor: BoxRegressor,
        clf_stage: str,
        iou_stages: tuple[str, str],
    ) -> None:
        super().__init__()
        self.stride = STRIDES[clf_stage]
        self.backbone = backbone
        self.box_regressor = box_regressor
        self._clf_stage = clf_stage
        self._iou_stages = iou_stages

    @classmethod
    def shared_with(cls, network: DimpNet) -> "AtomParts":
        """Backbone and box regressor of a DiMP network, which are not copied."""
        config = network.config
        return AtomParts(
            network.backbone, network.box_regressor, config.clf_stage, config.iou_stages
        )

    def forward(self, images: Tensor) -> OnlineFeatures:
        """Features of normalized crops, N x 3 x S x S."""
        fine, coarse = self._iou_stages
        stages = self.backbone(images, {fine, coarse, self._clf_stage})
        classification = unit_power(stages[self._clf_stage])
        return OnlineFeatures(classification, IouFeatures(stages[fine], stages[coarse]))


class AtomNet(AtomParts):
    """ATOM's own network.

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
        backbone = build_backbone(config.backbone, last_stage=config.clf_stage)
        fine, coarse = config.iou_stages
        box_regressor = BoxRegressor(
            backbone.channels[fine],
            backbone.channels[coarse],
            config.iou_channels,
            config.iou_reference_channels,
            (STRIDES[fine], STRIDES[coarse]),
        )
        super().__init__(backbone, box_regressor, config.clf_stage, config.iou_stages)
        self.config = config
