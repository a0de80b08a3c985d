"""ImageNet normalisation of crops."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalize(crops: NDArray[np.float32] | NDArray[np.uint8], device: torch.device) -> Tensor:
    """Network input of RGB crops.

    Args:
        crops: N x S x S x 3, 0..255.
        device: where the result lives.

    Returns:
        N x 3 x S x S float32, channels-last in memory, (v / 255 - mean) / std.
    """
    images = torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float()
    mean = torch.tensor(IMAGENET_MEAN, device=device).mul(255).reshape(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=device).mul(255).reshape(1, 3, 1, 1)
    return (images - mean) / std
