"""The SiamFC+ network: a backbone, and one correlation."""

from collections.abc import Mapping

from torch import Tensor, nn

from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.backbones.cir import CroppedBackbone
from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.nets.siamrpn.depthwise import conv_bn, middle_cells
from alpharefine.ops.correlation import cross_correlation
from alpharefine.ops.lateral import lateral_sum

_STAGE = "layer2"
"""The only output of a backbone without padding artifacts."""


class SiamFcNet(nn.Module):
    """SiamFC+; the correlation has no parameters.

    Example:
        >>> import torch
        >>> net = SiamFcNet(SiamFcNetConfig()).eval()
        >>> kernel = net.template(net.features(torch.zeros(1, 3, 127, 127)))
        >>> net.predict(net.features(torch.zeros(3, 3, 255, 255)), kernel).shape
        torch.Size([3, 1, 17, 17])

    Source: Zhang and Peng (SiamDW), CVPR 2019.
    """

    def __init__(self, config: SiamFcNetConfig) -> None:
        super().__init__()
        self.config = config
        self.adjust = nn.ModuleDict()
        if not config.stages:
            self.backbone: nn.Module = CroppedBackbone(config.backbone)
            return
        backbone = build_backbone(config.backbone, max(config.stages, key=STAGES.index))
        for stage in config.stages:
            self.adjust[stage] = conv_bn(backbone.channels[stage], config.channels)
        self.backbone = backbone

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """N x 3 x S x S normalized images -> stage -> N x C x s x s."""
        if not self.config.stages:
            return {_STAGE: self.backbone(images)}
        features: dict[str, Tensor] = self.backbone(images, self.config.stages)
        return features

    def template(self, features: Mapping[str, Tensor]) -> Tensor:
        """N x C x k x k: what `predict` needs of a template."""
        cells = self.config.template_cells
        embedding = self._embedded(features)
        return embedding if cells is None else middle_cells(embedding, cells)

    def predict(self, features: Mapping[str, Tensor], kernel: Tensor) -> Tensor:
        """How much every place looks like the template.

        Args:
            features: stage -> N x C x s x s of search images.
            kernel: of templates: one for each search image, or one for all.

        Returns:
            N x 1 x s x s logits.
        """
        scores = cross_correlation(kernel[:, None], self._embedded(features))
        return self.config.score_scale * scores

    def _embedded(self, features: Mapping[str, Tensor]) -> Tensor:
        if not self.config.stages:
            return features[_STAGE]
        return lateral_sum([self.adjust[stage](features[stage]) for stage in self.config.stages])
