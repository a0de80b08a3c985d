"""A convolution with everything that follows it, in one pass over its output."""

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


class Activation(NamedTuple):
    """An activation behind a convolution.

    Attributes:
        name: oneDNN's name.
        parameters: oneDNN's parameters.
        apply: the same in place.
    """

    name: str
    parameters: tuple[float, ...]
    apply: Callable[[Tensor], Tensor]


NONE = Activation("none", (), lambda x: x)
RELU = Activation("relu", (), torch.relu_)
_RELU6 = Activation("hardtanh", (0.0, 6.0), partial(F.hardtanh, min_val=0, max_val=6, inplace=True))
_BY_MODULE = {nn.ReLU: RELU, nn.ReLU6: _RELU6}


class FusedConv2d(nn.Module):
    """activation(convolution + bias + summand), the batch norm folded into weights and bias.

    Where oneDNN computes it is one call, and the weights are packed by the first one: oneDNN would
    rearrange plain ones each time. They are packed for that call's shape: let it be the usual one,
    as another batch size can take twice the time.

    Args:
        conv: with zero padding.
        norm: batch norm behind it, in eval mode.
        activation: behind all.
    """

    def __init__(
        self, conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None, activation: Activation = NONE
    ) -> None:
        super().__init__()
        if isinstance(conv.padding, str):
            raise ValueError(f"padding is {conv.padding!r}: give numbers")
        folded = conv if norm is None else fuse_conv_bn_eval(conv, norm)
        self.weight: Tensor | None = folded.weight
        self.bias = folded.bias
        self._activation = activation
        self._stride, self._padding, self._dilation = conv.stride, conv.padding, conv.dilation
        self._groups = conv.groups
        self._packed: Tensor | None = None

    def forward(self, x: Tensor, summand: Tensor | None = None) -> Tensor:
        """Convolve N x C x H x W.

        Args:
            x: input.
            summand: of the result's shape; not for a convolution in groups.
        """
        if self.weight is not None and _onednn_computes(x):
            geometry = self._padding, self._stride, self._dilation, self._groups
            self._packed = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight.detach().contiguous(), *geometry, list(x.shape)
            )
            self.weight = None
        if self.weight is None:
            return self._fused(x, summand)
        return self._in_steps(x, self.weight, summand)

    def _fused(self, x: Tensor, summand: Tensor | None) -> Tensor:
        geometry = self._padding, self._stride, self._dilation, self._groups
        layer = self._packed, self.bias, *geometry
        call, (name, parameters, _) = torch.ops.mkldnn._convolution_pointwise, self._activation
        if summand is None:
            return call.default(x, *layer, name, parameters, "")
        unary = None if name == NONE.name else name
        return call.binary(x, summand, *layer, "add", 1.0, unary, parameters, "")

    def _in_steps(self, x: Tensor, weight: Tensor, summand: Tensor | None) -> Tensor:
        geometry = self._stride, self._padding, self._dilation, self._groups
        y = F.conv2d(x, weight, self.bias, *geometry)
        return self._activation.apply(y if summand is None else y.add_(summand))


def merge_convolutions(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """Layers in which every convolution has taken in the batch norm and activation behind it."""
    merged: list[nn.Module] = []
    waiting = deque(layers)
    while waiting:
        layer = waiting.popleft()
        if isinstance(layer, nn.Conv2d):
            norm = waiting[0] if waiting else None
            if isinstance(norm, nn.BatchNorm2d):
                waiting.popleft()
            else:
                norm = None
            activation = _BY_MODULE.get(type(waiting[0])) if waiting else None
            if activation is not None:
                waiting.popleft()
            layer = FusedConv2d(layer, norm, activation or NONE)
        merged.append(layer)
    return merged


def _onednn_computes(x: Tensor) -> bool:
    """Whether oneDNN convolves this input here, in calls that take in what follows."""
    # Without oneDNN torch is built without the operator.
    if x.device.type != "cpu" or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return False
    match x.dtype:
        case torch.float32:
            return True
        case torch.bfloat16:
            return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
        case torch.float16:
            return bool(torch.ops.mkldnn._is_mkldnn_fp16_supported())
        case _:
            return False
