"""The SiamFC+ network: a backbone without padding artifacts, and one correlation."""

from torch import Tensor, nn

from alpharefine.nets.backbones.cir import CroppedBackbone
from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.ops.correlation import cross_correlation


class SiamFcNet(nn.Module):
    """SiamFC+; the correlation has no parameters.

    Example:
        >>> import torch
        >>> net = SiamFcNet(SiamFcNetConfig()).eval()
        >>> kernel = net.features(torch.zeros(1, 3, 127, 127))
        >>> net.scores(kernel, torch.zeros(3, 3, 255, 255)).shape
        torch.Size([3, 1, 17, 17])

    Source: Zhang and Peng (SiamDW), CVPR 2019.
    """

    def __init__(self, config: SiamFcNetConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = CroppedBackbone(config.backbone)

    def features(self, images: Tensor) -> Tensor:
        """N x 3 x S x S normalized images -> N x C x s x s."""
        return self.backbone(images)

    def scores(self, kernel: Tensor, images: Tensor) -> Tensor:
        """How much every place looks like the template.

        Args:
            kernel: features of templates: one for each image, or one for all.
            images: N x 3 x S x S normalized search images.

        Returns:
            N x 1 x s x s logits.
        """
        return self.config.score_scale * cross_correlation(kernel[:, None], self.features(images))
