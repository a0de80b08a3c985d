"""Feature maps of several strides in one."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def lateral_sum(maps: Sequence[Tensor]) -> Tensor:
    """The sum of maps, all resized bilinearly to the first one's cells.

    Args:
        maps: N x C x h x w each, the finest first.

    Source: Lin et al., "Feature Pyramid Networks" (CVPR 2017), section 3.
    """
    first, *others = maps
    size = first.shape[-2:]
    resized = [F.interpolate(x, size, mode="bilinear", align_corners=False) for x in others]
    return torch.stack([first, *resized]).sum(0) if resized else first
