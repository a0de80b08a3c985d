"""Image backbones by name, cut after the last stage that anything reads."""

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.efficientnet_lite import EfficientNetLiteBackbone
from alpharefine.nets.backbones.resnet import ResNetBackbone

Backbone = ResNetBackbone | EfficientNetLiteBackbone
"""Has `channels` (stage name -> channels) and `forward(images, outputs)`."""

BACKBONES = ("resnet18", "resnet34", "resnet50", "efficientnet_lite0")


def build_backbone(name: str, last_stage: str) -> Backbone:
    """A named backbone with stages up to `last_stage`, random weights.

    Raises:
        UsageError: the name is unknown.
    """
    if name not in BACKBONES:
        raise UsageError(f"unknown backbone {name!r}; choose one of {', '.join(BACKBONES)}")
    if name == "efficientnet_lite0":
        return EfficientNetLiteBackbone(last_stage)
    return ResNetBackbone(name, last_stage)
