"""Image backbones by name, cut after the last stage that anything reads."""

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.efficientnet_lite import EfficientNetLiteBackbone
from alpharefine.nets.backbones.resnet import ResNetBackbone

Backbone = ResNetBackbone | EfficientNetLiteBackbone
"""Has `channels` (stage name -> channels) and `forward(images, outputs)`."""

BACKBONES = ("resnet18", "resnet34", "resnet50", "efficientnet_lite0")


def build_backbone(name: str, last_stage: str, dilated: bool = False) -> Backbone:
    """A named backbone with stages up to `last_stage`, random weights.

    Args:
        name: one of `BACKBONES`.
        last_stage: the deepest stage that is built.
        dilated: layer3 and layer4 keep the stride of layer2; for ResNets.

    Raises:
        UsageError: the name is unknown, or the backbone has no dilated form.
    """
    if name not in BACKBONES:
        raise UsageError(f"unknown backbone {name!r}; choose one of {', '.join(BACKBONES)}")
    if name != "efficientnet_lite0":
        return ResNetBackbone(name, last_stage, dilated)
    if dilated:
        raise UsageError(f"{name} has no dilated form: choose a ResNet")
    return EfficientNetLiteBackbone(last_stage)
