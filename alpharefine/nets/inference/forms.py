"""Which module becomes what for inference.

Modules that are computed differently say so themselves, by a method `inference_form() -> Module`;
here are only those of torch.
"""

from collections.abc import Callable

from torch import nn

from alpharefine.nets.inference.conv import FusedConv2d, merge_convolutions


def to_inference_form(module: nn.Module) -> nn.Module:
    """The inference form of a module, which is taken apart for it; the module if it has none.

    The result computes the same up to rounding, cannot be trained, and its state dict has other
    entries: load weights before.

    Args:
        module: in eval mode, float32.
    """
    own: Callable[[], nn.Module] | None = getattr(module, "inference_form", None)
    if own is not None:
        return own()
    if type(module) is nn.Conv2d:
        return FusedConv2d(module)
    if type(module) is nn.Sequential:
        return nn.Sequential(*map(to_inference_form, merge_convolutions(module)))
    put_into_inference_form(module)
    return module


def put_into_inference_form(network: nn.Module) -> None:
    """Replace the parts of a network by their inference forms; a second time changes nothing.

    Args:
        network: in eval mode, float32, with its weights loaded.
    """
    for name, child in network.named_children():
        setattr(network, name, to_inference_form(child))
