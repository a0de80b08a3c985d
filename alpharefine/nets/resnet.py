"""ResNet without the stages that nothing reads."""

from collections.abc import Collection

from torch import Tensor
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from alpharefine.nets.stages import STAGES

_VARIANTS = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}


class ResNetBackbone(ResNet):
    """torchvision's ResNet, its parameter names too, up to a stage.

    Args:
        name: "resnet18", "resnet34" or "resnet50".
        last_stage: the deepest stage that is built and can be asked for.

    Source: He et al., CVPR 2016; stride in the 3x3 convolution of a bottleneck, as torchvision.
    """

    def __init__(self, name: str, last_stage: str) -> None:
        block, depths = _VARIANTS[name]
        super().__init__(block, list(depths))
        self.name = name
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
                x = self.get_submodule(stage)(x)
            if stage in outputs:
                features[stage] = x
            if len(features) == len(outputs):
                break
        return features
