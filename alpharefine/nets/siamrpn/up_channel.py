"""The SiamRPN+ network: up-channel correlation behind a backbone without padding artifacts."""

from collections.abc import Mapping
from typing import NamedTuple

from torch import Tensor, nn

from alpharefine.nets.backbones.cir import CroppedBackbone
from alpharefine.nets.siamrpn.config import UpChannelRpnConfig
from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.ops.correlation import cross_correlation

STAGE = "layer2"
"""The backbone's only output."""


class UpChannelKernels(NamedTuple):
    """A kernel for each channel of the answer, N x channels x C x k x k."""

    classification: Tensor
    regression: Tensor


class UpChannelRpnNet(nn.Module):
    """SiamRPN+.

    Example:
        >>> import torch
        >>> net = UpChannelRpnNet(UpChannelRpnConfig()).eval()
        >>> template = net.template(net.features(torch.zeros(1, 3, 127, 127)))
        >>> net.predict(net.features(torch.zeros(1, 3, 255, 255)), template).offsets.shape
        torch.Size([1, 4, 5, 17, 17])

    Sources: Li et al., "SiamRPN" (CVPR 2018), section 3; Zhang and Peng (SiamDW), CVPR 2019.
    """

    def __init__(self, config: UpChannelRpnConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = CroppedBackbone(config.backbone)
        inputs, channels = self.backbone.out_channels, config.channels
        scores, offsets = config.scores_per_anchor * config.anchors, 4 * config.anchors
        self.template_classification = nn.Conv2d(inputs, channels * scores, 3)
        self.template_regression = nn.Conv2d(inputs, channels * offsets, 3)
        self.search_classification = nn.Conv2d(inputs, channels, 3)
        self.search_regression = nn.Conv2d(inputs, channels, 3)
        self.adjust = nn.Conv2d(offsets, offsets, 1)
        # A network without training answers the anchors.
        for parameter in self.adjust.parameters():
            nn.init.zeros_(parameter)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """N x 3 x S x S normalized images -> {"layer2": N x C x s x s}."""
        return {STAGE: self.backbone(images)}

    def template(self, features: Mapping[str, Tensor]) -> UpChannelKernels:
        """The kernels that a template gives."""
        kernels = (
            branch(features[STAGE])
            for branch in (self.template_classification, self.template_regression)
        )
        return UpChannelKernels(
            *(k.reshape(len(k), -1, self.config.channels, *k.shape[-2:]) for k in kernels)
        )

    def predict(self, features: Mapping[str, Tensor], template: UpChannelKernels) -> RpnMaps:
        """Scores and boxes in the search image of these features."""
        search = features[STAGE]
        return RpnMaps(
            cross_correlation(template.classification, self.search_classification(search)),
            self.adjust(cross_correlation(template.regression, self.search_regression(search))),
        )
