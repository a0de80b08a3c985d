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


def depthwise_correlation(kernel: Tensor, search: Tensor, padded: bool = True) -> Tensor:
    """Each channel of the kernel slides over the same channel of the search features.

    Args:
        kernel: N x C x h x w, or 1 x C x h x w for all images.
        search: N x C x H x W.
        padded: the search features are padded with zeros so that the result keeps their size; an
            even kernel is centered half a cell to the right and down.

    Returns:
        N x C x H x W; not padded: N x C x H - h + 1 x W - w + 1.

    Source: Li et al., "SiamRPN++" (CVPR 2019), section 3.3.
    """
    n, c, height, width = search.shape
    rows, columns = kernel.shape[-2:]
    if padded:
        search = F.pad(search, (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2))
        height, width = height + rows - 1, width + columns - 1
    stacked = search.reshape(1, n * c, height, width)
    filters = kernel.expand(n, c, rows, columns).reshape(n * c, 1, rows, columns)
    maps = F.conv2d(stacked, filters, groups=n * c)
    return maps.reshape(n, c, *maps.shape[-2:])


def naive_correlation(kernel: Tensor, search: Tensor) -> Tensor:
    """The whole kernel slides over the search features: one similarity map.

    Arguments and padding as `depthwise_correlation`, whose channels are summed.

    Returns:
        N x 1 x H x W.

    Source: Bertinetto et al., "SiamFC" (ECCVW 2016), section 3.
    """
    return depthwise_correlation(kernel, search).sum(1, keepdim=True)


def cross_correlation(kernels: Tensor, search: Tensor) -> Tensor:
    """Whole kernels slide over the search features, without padding: a map for each kernel.

    Args:
        kernels: N x K x C x h x w, or 1 x K x C x h x w for all images.
        search: N x C x H x W.

    Returns:
        N x K x H - h + 1 x W - w + 1.

    Sources: Bertinetto et al., "SiamFC" (ECCVW 2016), K = 1; Li et al., "SiamRPN" (CVPR 2018),
    section 3.2, a kernel for each channel of the answer ("up-channel").
    """
    n, k = kernels.shape[:2]
    if n == 1:
        return F.conv2d(search, kernels[0])
    maps = F.conv2d(search.flatten(0, 1)[None], kernels.flatten(0, 1), groups=n)
    return maps.reshape(n, k, *maps.shape[-2:])
