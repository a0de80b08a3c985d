"""Pooling of boxes that each name their image, as the fixtures have them."""

from torch import Tensor

from alpharefine.ops.prroi import prroi_pool_boxes


def prroi_pool(
    features: Tensor, rois: Tensor, output_size: tuple[int, int], spatial_scale: float
) -> Tensor:
    """Pool boxes M x 5, (image index, x1, y1, x2, y2) in image pixels: M x C x rows x columns."""
    images = features[rois[:, 0].long()]
    return prroi_pool_boxes(images, rois[:, None, 1:], output_size, spatial_scale)[:, 0]
