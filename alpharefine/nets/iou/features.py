"""What networks that find a target and its box make of a crop."""

from dataclasses import dataclass

from torch import Tensor

from alpharefine.nets.iou.box_regressor import IouFeatures


@dataclass(frozen=True)
class OnlineFeatures:
    """Features of a batch of crops.

    Attributes:
        classification: normalized classification feature, N x C x H/16 x W/16.
        iou: backbone features that the box regressor reads, stride 8 and 16.
    """

    classification: Tensor
    iou: IouFeatures
