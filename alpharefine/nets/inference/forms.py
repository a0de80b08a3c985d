"""Which module becomes what for inference."""

from collections.abc import Callable

from torch import nn

from alpharefine.nets.backbones.efficientnet_lite import InvertedResidual
from alpharefine.nets.backbones.resnet import BasicBlock, Bottleneck, ResNetBackbone
from alpharefine.nets.dimp.classifier import ClassifierBlock
from alpharefine.nets.dimp.filter_optimizer import FilterOptimizer
from alpharefine.nets.inference.conv import RELU, FusedConv2d, merge_convolutions
from alpharefine.nets.inference.frtm import (
    FusedProjection,
    FusedResidualRefinement,
    FusedTargetEncoder,
)
from alpharefine.nets.inference.residual import FusedResidualBlock, FusedShortcut
from alpharefine.nets.iou.box_regressor import LinearBlock
from alpharefine.nets.refine.frtm_head import Projection, ResidualRefinement, TargetEncoder


def to_inference_form(module: nn.Module) -> nn.Module:
    """The inference form of a module, which is taken apart for it; the module if it has none.

    The result computes the same up to rounding, cannot be trained, and its state dict has other
    entries: load weights before.

    Args:
        module: in eval mode, float32.
    """
    form = _FORMS.get(type(module))
    if form is not None:
        return form(module)
    put_into_inference_form(module)
    return module


def put_into_inference_form(network: nn.Module) -> None:
    """Replace the parts of a network by their inference forms; a second time changes nothing.

    Args:
        network: in eval mode, float32, with its weights loaded.
    """
    for name, child in network.named_children():
        setattr(network, name, to_inference_form(child))


def _sequential(sequence: nn.Sequential) -> nn.Module:
    return nn.Sequential(*map(to_inference_form, merge_convolutions(sequence)))


def _resnet(backbone: ResNetBackbone) -> nn.Module:
    conv, norm = backbone.conv1, backbone.bn1
    if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
        backbone.conv1 = FusedConv2d(conv, norm, RELU)
        backbone.bn1, backbone.relu = nn.Identity(), nn.Identity()
    put_into_inference_form(backbone)
    return backbone


def _linear_block(block: LinearBlock) -> nn.Module:
    block.fold_norm()
    return block


def _as_it_is(module: nn.Module) -> nn.Module:
    return module


_FORMS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    nn.Conv2d: FusedConv2d,
    nn.Sequential: _sequential,
    ResNetBackbone: _resnet,
    BasicBlock: FusedResidualBlock,
    Bottleneck: FusedResidualBlock,
    InvertedResidual: FusedShortcut,
    ClassifierBlock: FusedShortcut,
    LinearBlock: _linear_block,
    # Its convolutions are tables of numbers.
    FilterOptimizer: _as_it_is,
    TargetEncoder: FusedTargetEncoder,
    ResidualRefinement: FusedResidualRefinement,
    Projection: FusedProjection,
}
