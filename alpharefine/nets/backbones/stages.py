"""Stage names shared by all backbones.

They follow torchvision's ResNet and stand for a stride everywhere:
conv1 = 2, layer1 = 4, layer2 = 8, layer3 = 16, layer4 = 32.
"""

STAGES = ("conv1", "layer1", "layer2", "layer3", "layer4")
STRIDES = dict(zip(STAGES, (2, 4, 8, 16, 32), strict=True))
