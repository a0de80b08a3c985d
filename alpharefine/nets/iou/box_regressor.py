"""ATOM's IoU network: a value for any box, ascended to refine it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_linear_bn_weights

from alpharefine.ops.prroi import prroi_pool_boxes


def _conv_block(
    in_channels: int, out_channels: int, kernel_size: int = 3, padding: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class LinearBlock(nn.Module):
    """Linear layer over a flattened C x rows x columns feature, batch norm, ReLU."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.bn: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(out_features)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """M x C x rows x columns -> M x out_features."""
        x = self.linear(x.flatten(1))
        return self.relu(self.bn(x[..., None, None]))[..., 0, 0]

    def affine(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of linear layer and batch norm in one, in eval mode."""
        linear, bn = self.linear, self.bn
        if isinstance(bn, nn.Identity):
            return linear.weight, linear.bias
        mean, variance = bn.get_buffer("running_mean"), bn.get_buffer("running_var")
        return fuse_linear_bn_weights(
            linear.weight, linear.bias, mean, variance, bn.eps, bn.weight, bn.bias
        )

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`: the batch norm becomes part of the layer."""
        weight, bias = self.affine()
        self.linear.weight, self.linear.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.bn = nn.Identity()
        return self


@dataclass(frozen=True)
class IouFeatures:
    """Feature maps of a finer and a coarser stride, or modulation vectors, each N x C x ..."""

    fine: Tensor
    coarse: Tensor


class BoxRegressor(nn.Module):
    """Predicts how well a box fits the target; its gradient moves the box.

    Sources: Danelljan et al. (ATOM), CVPR 2019, section 3.1: the value is the IoU; Danelljan et al.
    (PrDiMP), CVPR 2020, section 4: it is an unnormalized log-density.
    """

    FINE_BINS = (5, 5)
    COARSE_BINS = (3, 3)

    def __init__(
        self,
        fine_channels: int,
        coarse_channels: int,
        width: int,
        reference_width: int,
        strides: tuple[int, int] = (8, 16),
    ) -> None:
        super().__init__()
        self.fine_stride, self.coarse_stride = strides
        self.conv3_1r = _conv_block(fine_channels, reference_width)
        self.conv3_1t = _conv_block(fine_channels, width)
        self.conv3_2t = _conv_block(width, width)
        self.fc3_1r = _conv_block(reference_width, width, padding=0)
        self.conv4_1r = _conv_block(coarse_channels, width)
        self.conv4_1t = _conv_block(coarse_channels, width)
        self.conv4_2t = _conv_block(width, width)
        self.fc34_3r = _conv_block(2 * width, width, kernel_size=1, padding=0)
        self.fc34_4r = _conv_block(2 * width, width, kernel_size=1, padding=0)
        self.fc3_rt = LinearBlock(width * self.FINE_BINS[0] * self.FINE_BINS[1], width)
        self.fc4_rt = LinearBlock(width * self.COARSE_BINS[0] * self.COARSE_BINS[1], width)
        self.iou_predictor = nn.Linear(2 * width, 1)

    def modulation(self, backbone: IouFeatures, boxes: Tensor) -> IouFeatures:
        """Modulation vectors of reference boxes.

        Args:
            backbone: reference features at both strides.
            boxes: N x 4, (x, y, w, h) in crop pixels, one an image.

        Returns:
            Two vectors a reference, N x C x 1 x 1 each.
        """
        corners = _corners(boxes)[:, None]
        fine = self.conv3_1r(backbone.fine)
        fine = prroi_pool_boxes(fine, corners, (3, 3), 1 / self.fine_stride)[:, 0]
        coarse = self.conv4_1r(backbone.coarse)
        coarse = prroi_pool_boxes(coarse, corners, (1, 1), 1 / self.coarse_stride)[:, 0]
        both = torch.cat([self.fc3_1r(fine), coarse], 1)
        return IouFeatures(self.fc34_3r(both), self.fc34_4r(both))

    def features(self, backbone: IouFeatures) -> IouFeatures:
        """Features of the frames in which boxes are judged."""
        return IouFeatures(
            self.conv3_2t(self.conv3_1t(backbone.fine)),
            self.conv4_2t(self.conv4_1t(backbone.coarse)),
        )

    def modulate(self, features: IouFeatures, modulation: IouFeatures) -> IouFeatures:
        """Channel-wise product of frame features and modulation vectors."""
        return IouFeatures(features.fine * modulation.fine, features.coarse * modulation.coarse)

    def predict(self, modulated: IouFeatures, boxes: Tensor) -> Tensor:
        """Value of boxes.

        Args:
            modulated: from `modulate`, N x C x H x W.
            boxes: N x K x 4, (x, y, w, h) in crop pixels.

        Returns:
            N x K, the IoU or a log-density, as the network was trained.
        """
        n, k = boxes.shape[:2]
        corners = _corners(boxes)
        fine = prroi_pool_boxes(modulated.fine, corners, self.FINE_BINS, 1 / self.fine_stride)
        coarse = prroi_pool_boxes(
            modulated.coarse, corners, self.COARSE_BINS, 1 / self.coarse_stride
        )
        both = torch.cat([self.fc3_rt(fine.flatten(0, 1)), self.fc4_rt(coarse.flatten(0, 1))], 1)
        return self.iou_predictor(both).reshape(n, k)


def _corners(boxes: Tensor) -> Tensor:
    return torch.cat([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], -1)
