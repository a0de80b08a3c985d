"""From crops to network input, as an `InputSpec` says."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.spec import IMAGENET, InputSpec


class Normalization(nn.Module):
    """RGB crops, N x 3 x S x S in 0..255, become a network's input.

    Args:
        spec: what the network expects.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: InputSpec = IMAGENET) -> None:
        super().__init__()
        self._is_bgr = spec.channels == "bgr"
        for name, values in (("mean", spec.mean), ("std", spec.std)):
            scaled = torch.tensor(values).mul(255 / spec.white).reshape(1, 3, 1, 1)
            self.register_buffer(name, scaled, persistent=False)

    def forward(self, crops: Tensor) -> Tensor:
        """float32 in, float32 out; channels-last memory is kept."""
        if self._is_bgr:
            crops = crops.flip(1)
        return (crops - self.mean) / self.std


class CropInput:
    """Turns crops, as they are cut from images, into the input of a network.

    Args:
        spec: what the network expects.
        device: where it runs.
        dtype: what it computes in.
    """

    def __init__(self, spec: InputSpec, device: torch.device, dtype: torch.dtype) -> None:
        self.normalization = Normalization(spec).to(device)
        self._device, self._dtype = device, dtype

    def __call__(self, crops: NDArray[np.float32] | NDArray[np.uint8]) -> Tensor:
        """N x S x S x 3 RGB crops, 0..255 -> N x 3 x S x S, channels-last in memory."""
        images = torch.from_numpy(crops).to(self._device)
        return self.normalization(images.permute(0, 3, 1, 2).float()).to(self._dtype)


def unit_power(x: Tensor) -> Tensor:
    """Scale each sample of N x C x H x W so that the mean of its squares is 1 (float32 inside)."""
    power = x.float().square().mean((2, 3), keepdim=True).mean(1, keepdim=True)
    return x / (power + 1e-10).sqrt().to(x.dtype)
