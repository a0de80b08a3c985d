"""Networks in inference form against the plain ones."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from alpharefine.nets.backbones.build import BACKBONES, build_backbone
from alpharefine.nets.backbones.cir import CROPPED_BACKBONES, CroppedBackbone
from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.eco.config import EcoNetConfig
from alpharefine.nets.inference import conv
from alpharefine.nets.inference.forms import put_into_inference_form, to_inference_form
from alpharefine.nets.iou.box_regressor import IouFeatures
from alpharefine.nets.mdnet.config import MdNetConfig
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig
from alpharefine.nets.siamrpn.depthwise import DepthwiseRpnNet
from alpharefine.ops.resized_conv import arrange_taps, convolve_enlarged
from alpharefine.runtime import Runtime, fastest_precision, resolve_runtime
from tests.nets.test_refine_networks import VARIANTS

ROUNDING = 1e-5
"""Largest float32 difference, as a share of the largest value."""

BFLOAT16 = 0.04
"""The same in bfloat16, whose numbers have 8 bits: 0.004 each, through some tens of layers."""


@pytest.fixture(params=["fused calls", "single steps"])
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways through a convolution: oneDNN's, and that of every other device."""
    if request.param == "single steps":
        monkeypatch.setattr(conv, "_onednn_computes", lambda x: False)


def _trained(network: nn.Module) -> nn.Module:
    """The network in eval mode, with batch norms that are not the identity."""
    generator = torch.Generator().manual_seed(5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight, 0.5, 1.2),
                (module.bias, -0.3, 0.3),
                (module.running_mean, -0.3, 0.3),
                (module.running_var, 0.5, 1.5),
            ):
                assert tensor is not None
                nn.init.uniform_(tensor, low, high, generator=generator)
    return network.eval().requires_grad_(False)


def _images(side: int, n: int = 2) -> Tensor:
    images = torch.randn(n, 3, side, side, generator=torch.Generator().manual_seed(n))
    return images.to(memory_format=torch.channels_last)


def _backbone(name: str) -> nn.Module:
    torch.manual_seed(0)
    return _trained(build_backbone(name, "layer4"))


def _refine_network(name: str) -> RefineNetwork:
    torch.manual_seed(0)
    network = _trained(RefineNetwork(VARIANTS[name]))
    assert isinstance(network, RefineNetwork)
    return network


def _dimp_network(clf_block: Literal["basic", "linear"] = "linear") -> DimpNet:
    torch.manual_seed(0)
    sizes = {"clf_channels": 24, "clf_blocks": 1, "iou_channels": 16, "iou_reference_channels": 8}
    config = DimpNetConfig(backbone="resnet18", clf_block=clf_block, **sizes)
    network = _trained(DimpNet(config))
    assert isinstance(network, DimpNet)
    return network


def _answers(network: RefineNetwork, dtype: torch.dtype = torch.float32) -> Iterator[Tensor]:
    images = _images(network.config.input_size).to(dtype)
    boxes = torch.tensor([[15.5, 15.5, 47.5, 47.5]]).expand(2, 4)
    kernel = network.reference(images, boxes)
    output = network.search(images.flip(0), kernel)
    return filter(lambda value: value is not None, (kernel, *output))


def _dimp_answers(network: DimpNet, dtype: torch.dtype = torch.float32) -> Iterator[Tensor]:
    features = network(_images(96).to(dtype))
    yield from (features.classification, features.iou.fine, features.iou.coarse)
    boxes = torch.tensor([[30.0, 30, 40, 30]]).expand(2, 4)
    classification = features.classification[None]
    yield network.classifier.filter_initializer(classification, boxes[None])
    regressor = network.box_regressor
    modulation = regressor.modulation(features.iou, boxes)
    yield from (modulation.fine, modulation.coarse)
    modulated: IouFeatures = regressor.modulate(regressor.features(features.iou), modulation)
    yield regressor.predict(modulated, boxes[:, None])


def _assert_close(actual: Iterator[Tensor], expected: Iterator[Tensor], tolerance: float) -> None:
    pairs = list(zip(actual, expected, strict=True))
    assert pairs
    for a, e in pairs:
        limit = tolerance * float(e.float().abs().max())
        assert limit > 0
        torch.testing.assert_close(a.float(), e.float(), rtol=0, atol=limit)


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("name", BACKBONES)
def test_backbones(name: str) -> None:
    plain = _backbone(name)
    fused = to_inference_form(deepcopy(plain))
    images = _images(64)
    _assert_close(
        iter(fused(images, STAGES).values()), iter(plain(images, STAGES).values()), ROUNDING
    )


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_dilated_backbones(name: str) -> None:
    torch.manual_seed(0)
    plain = _trained(build_backbone(name, "layer4", dilated=True))
    fused = to_inference_form(deepcopy(plain))
    images = _images(63)
    _assert_close(
        iter(fused(images, STAGES).values()), iter(plain(images, STAGES).values()), ROUNDING
    )


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("name", CROPPED_BACKBONES)
def test_cropped_backbones(name: str) -> None:
    torch.manual_seed(0)
    plain = _trained(CroppedBackbone(name))
    fused = deepcopy(plain)
    put_into_inference_form(fused)
    for side in (127, 135):
        images = _images(side)
        _assert_close(iter([fused(images)]), iter([plain(images)]), ROUNDING)


@pytest.mark.usefixtures("_path")
def test_siamrpn_network() -> None:
    torch.manual_seed(0)
    plain = _trained(DepthwiseRpnConfig(backbone="resnet18", channels=16).build())
    fused = deepcopy(plain)
    put_into_inference_form(fused)
    answers = [_rpn_answers(network) for network in (fused, plain)]
    _assert_close(*map(iter, answers), ROUNDING)


def _rpn_answers(network: nn.Module) -> list[Tensor]:
    assert isinstance(network, DepthwiseRpnNet)
    template = network.template(network.features(_images(127)))
    maps = network.predict(network.features(_images(159)), template)
    return [maps.classification, *template["layer2"]]


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("name", VARIANTS)
def test_refinement_networks(name: str) -> None:
    plain = _refine_network(name)
    fused = deepcopy(plain)
    put_into_inference_form(fused)
    _assert_close(_answers(fused), _answers(plain), ROUNDING)
    # The first pass has packed the weights; later ones run on what it packed.
    _assert_close(_answers(fused), _answers(plain), ROUNDING)


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("clf_block", ["basic", "linear"])
def test_dimp_network(clf_block: Literal["basic", "linear"]) -> None:
    plain = _dimp_network(clf_block)
    fused = deepcopy(plain)
    put_into_inference_form(fused)
    _assert_close(_dimp_answers(fused), _dimp_answers(plain), ROUNDING)


@pytest.mark.parametrize("config", [EcoNetConfig(), MdNetConfig()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_networks_of_online_features(
    config: EcoNetConfig | MdNetConfig, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    plain = _trained(config.build())
    scale = 50 if isinstance(config, MdNetConfig) else 1
    prepared = Runtime(torch.device("cpu"), dtype).prepare(deepcopy(plain))
    images = scale * _images(112)
    answers = [prepared(images.to(dtype)), plain(images)]
    pairs = [[a] if isinstance(a, Tensor) else a for a in answers]
    _assert_close(*map(iter, pairs), ROUNDING if dtype is torch.float32 else BFLOAT16)


def test_every_batch_norm_is_folded() -> None:
    for network in (*map(_backbone, BACKBONES), *map(_refine_network, VARIANTS), _dimp_network()):
        modules = to_inference_form(network).named_modules()
        left = [name for name, module in modules if isinstance(module, nn.BatchNorm2d)]
        assert not left


def test_a_second_time_changes_nothing() -> None:
    network = _refine_network("pyramid")
    put_into_inference_form(network)
    expected = list(_answers(network))
    put_into_inference_form(network)
    _assert_close(_answers(network), iter(expected), ROUNDING)


def test_an_input_of_another_size_is_as_exact() -> None:
    plain = _backbone("resnet18")
    fused = to_inference_form(deepcopy(plain))
    for side, n in ((64, 1), (96, 3), (48, 2)):
        images = _images(side, n)
        _assert_close(
            iter(fused(images, STAGES).values()), iter(plain(images, STAGES).values()), ROUNDING
        )


@pytest.mark.skipif(
    fastest_precision(torch.device("cpu")) != "bfloat16",
    reason="this processor emulates bfloat16, with other roundings; it never takes it by itself",
)
@pytest.mark.parametrize("name", VARIANTS)
def test_refinement_networks_in_bfloat16(name: str) -> None:
    plain = _refine_network(name)
    reduced = _reduced().prepare(deepcopy(plain))
    _assert_close(_answers(reduced, torch.bfloat16), _answers(plain), BFLOAT16)


def test_dimp_network_in_bfloat16() -> None:
    plain = _dimp_network()
    reduced = _reduced().prepare(deepcopy(plain))
    _assert_close(_dimp_answers(reduced, torch.bfloat16), _dimp_answers(plain), BFLOAT16)


def _reduced() -> Runtime:
    return resolve_runtime("cpu", "bfloat16")


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from(["bilinear", "bicubic"]),
)
def test_convolution_of_an_enlarged_map(
    height: int, width: int, taller: int, wider: int, mode: str
) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 5, height, width, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 5, 3, 3, generator=generator, dtype=torch.float64)
    size = (height + taller, width + wider)
    enlarged = F.interpolate(x, size=size, mode=mode, align_corners=False)
    expected = F.conv2d(enlarged, weight, padding=1)
    actual = convolve_enlarged(x, arrange_taps(weight), size, mode)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_text_padding_is_refused() -> None:
    with pytest.raises(ValueError, match="padding"):
        conv.FusedConv2d(nn.Conv2d(3, 3, 3, padding="same"))
