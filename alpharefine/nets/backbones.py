"""Image backbones, cut after the last stage that anything reads.

Stage names follow torchvision's ResNet and stand for a stride in every backbone:
conv1 = 2, layer1 = 4, layer2 = 8, layer3 = 16, layer4 = 32.
"""

from collections.abc import Collection

from torch import Tensor
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

STAGES = ("conv1", "layer1", "layer2", "layer3", "layer4")
STRIDES = dict(zip(STAGES, (2, 4, 8, 16, 32), strict=True))

_RESNETS = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}


class ResNetBackbone(ResNet):
    """torchvision's ResNet (its parameter names, too) without the stages that nothing reads.

    Args:
        name: "resnet18", "resnet34" or "resnet50".
        last_stage: the deepest stage that is built and can be asked for.

    Source: He et al., CVPR 2016; stride in the 3x3 convolution of a bottleneck, as torchvision.
    """

    def __init__(self, name: str, last_stage: str) -> None:
        block, depths = _RESNETS[name]
        super().__init__(block, list(depths))
        del self.fc, self.avgpool
        self.stages = STAGES[: STAGES.index(last_stage) + 1]
        for stage in STAGES[len(self.stages) :]:
            delattr(self, stage)
        widths = (64, *(block.expansion * c for c in (64, 128, 256, 512)))
        self.channels = dict(zip(STAGES, widths, strict=True))

    def forward(self, images: Tensor, outputs: Collection[str]) -> dict[str, Tensor]:
        """Features of normalised images.

        Args:
            images: N x 3 x H x W, RGB, ImageNet-normalised.
            outputs: stage names to return; nothing deeper than the deepest of them is run.

        Returns:
            stage name -> N x C x H/stride x W/stride; conv1 is taken after its ReLU.
        """
        features: dict[str, Tensor] = {}
        x = self.relu(self.bn1(self.conv1(images)))
        for stage in self.stages:
            if stage == "layer1":
                x = self.maxpool(x)
            if stage != "conv1":
                x = getattr(self, stage)(x)
            if stage in outputs:
                features[stage] = x
            if len(features) == len(outputs):
                break
        return features
