"""Correlations of a reference kernel with a search feature map, one kernel for each image.

Source: Yan et al., "Alpha-Refine" (CVPR 2021), section 3.2 and table 6.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def pixelwise_correlation(kernel: Tensor, search: Tensor) -> Tensor:
    """Every position of the kernel is a 1 x 1 filter: spatial detail is kept.

    Args:
        kernel: N x C x h x w, or 1 x C x h x w for all images.
        search: N x C x H x W.

    Returns:
        N x (h * w) x H x W, kernel positions row by row.
    """
    n, _, height, width = search.shape
    filters = kernel.flatten(2).transpose(1, 2)
    return torch.matmul(filters, search.flatten(2)).reshape(n, -1, height, width)


def depthwise_correlation(kernel: Tensor, search: Tensor) -> Tensor:
    """Each channel of the kernel slides over the same channel of the search features.

    The search features are padded with zeros so that the result keeps their size; an even
    kernel is centred half a cell to the right and down.

    Args:
        kernel: N x C x h x w, or 1 x C x h x w for all images.
        search: N x C x H x W.

    Returns:
        N x C x H x W.

    Source: Li et al., "SiamRPN++" (CVPR 2019), section 3.3.
    """
    n, c, height, width = search.shape
    rows, columns = kernel.shape[-2:]
    padding = (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2)
    stacked = F.pad(search, padding).reshape(1, n * c, height + rows - 1, width + columns - 1)
    filters = kernel.expand(n, c, rows, columns).reshape(n * c, 1, rows, columns)
    return F.conv2d(stacked, filters, groups=n * c).reshape(n, c, height, width)


def naive_correlation(kernel: Tensor, search: Tensor) -> Tensor:
    """The whole kernel slides over the search features: one similarity map.

    Arguments and padding as `depthwise_correlation`, whose channels are summed.

    Returns:
        N x 1 x H x W.

    Source: Bertinetto et al., "SiamFC" (ECCVW 2016), section 3.
    """
    return depthwise_correlation(kernel, search).sum(1, keepdim=True)
