"""Every recorded layer of SiamFC+ and SiamRPN+, plain and in inference form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.backbones.cir import CroppedBackbone
from alpharefine.nets.siamfc.network import SiamFcNet
from alpharefine.nets.siamrpn.up_channel import UpChannelRpnNet
from tests.parity.fixtures import (
    TOOLS,
    Arrays,
    assert_close_relative,
    channel_stats,
    filler_seed,
    find_fixtures,
    fixture_cases,
    load_npz,
)
from tests.parity.siamdw.common import (
    FAMILY,
    filled_network,
    network_tolerance,
    prepared_network,
)

FORMS = {"plain": filled_network, "inference": prepared_network}
Check = Callable[[Any, NDArray[Any], str], None]


def _architecture(path: Path) -> str:
    return path.stem.removeprefix("net_").rpartition("_w")[0]


def _crops() -> Arrays:
    """The crops that all network fixtures share; held-back folders need not repeat them."""
    found = find_fixtures("crops", FAMILY) or [TOOLS / FAMILY / "fixtures" / "crops.npz"]
    return load_npz(found[0])


def _images(*crops: NDArray[Any]) -> Tensor:
    return torch.stack([torch.from_numpy(crop).permute(2, 0, 1).float() for crop in crops])


def _record(backbone: CroppedBackbone) -> dict[str, Tensor]:
    """Name in the fixtures -> output of the last pass, once there has been one."""
    outputs: dict[str, Tensor] = {}

    def keep(module: nn.Module, name: str) -> None:
        module.register_forward_hook(lambda _m, _i, output: outputs.update({name: output.clone()}))

    conv, norm, relu = list(backbone.stem)[:3]
    assert isinstance(conv, nn.Conv2d)
    is_resnext = conv.bias is not None
    keep(conv, "conv0" if is_resnext else "conv1")
    # The first batch norm is recorded before its ReLU in ResNeXt, behind it elsewhere.
    keep(norm if is_resnext else relu, "bn0" if is_resnext else "bn1")
    for layer in ("layer1", "layer2"):
        units = backbone.get_submodule(layer)
        keep(units, layer)
        for i, unit in enumerate(units.children()):
            keep(unit, f"{layer}_{i}")
    return outputs


def _check_layers(outputs: dict[str, Tensor], data: Arrays, check: Check) -> None:
    names = {key[2:-6] for key in data if key.startswith("x_") and key.endswith("_stats")}
    assert names == set(outputs)
    for name in names:
        assert outputs[name].shape[1:] == tuple(data[f"x_{name}_shape"][1:])
        check(channel_stats(outputs[name]), data[f"x_{name}_stats"], f"{name} stats")
    stem = outputs.get("bn1", outputs.get("bn0"))
    assert stem is not None
    check(stem[:1, ::16, ::8, ::8], data["x_stem_sub"], "stem")
    for name in ("layer1", "layer1_0"):
        check(outputs[name][:1, ::32, ::4, ::4], data[f"x_{name}_sub"], name)
    check(outputs["layer2_0"][:1, ::64, ::3, ::3], data["x_layer2_0_sub"], "layer2_0")


def _check_fc(network: SiamFcNet, data: Arrays, crops: Arrays, check: Check) -> None:
    def kernel(*names: str) -> Tensor:
        return network.template(network.features(_images(*(crops[name] for name in names))))

    def search(*names: str) -> dict[str, Tensor]:
        return network.features(_images(*(crops[name] for name in names)))

    searches = search("x255", "x255_synth")
    check(network.predict(searches, kernel("z127")), data["score"], "score")
    larger = kernel("z135")
    assert larger.shape == tuple(data["zf135_shape"])
    check(network.predict(search("x263"), larger), data["score263"], "score263")
    kernels = kernel("z127", "z127_synth")
    check(network.predict(searches, kernels), data["score_batch"], "score_batch")


def _check_rpn(network: UpChannelRpnNet, data: Arrays, crops: Arrays, check: Check) -> None:
    template = network.template(network.features(_images(crops["z127"])))
    check(template.classification.flatten(1, 2)[:, ::37], data["cls_kernel_sub"], "cls kernel")
    check(template.regression.flatten(1, 2)[:, ::149], data["reg_kernel_sub"], "reg kernel")
    search = network.features(_images(crops["x255"]))
    features = search["layer2"]
    check(network.search_classification(features)[:, ::16], data["cls_feat_sub"], "cls features")
    check(network.search_regression(features)[:, ::16], data["reg_feat_sub"], "reg features")
    maps = network.predict(search, template)
    check(maps.classification, data["cls"], "cls")
    check(maps.regression, data["reg"], "reg")
    for size in (271, 287):
        maps = network.predict(network.features(_images(crops[f"x{size}"])), template)
        check(maps.classification, data[f"cls{size}"], f"cls{size}")
        check(maps.regression[:, :, ::2, ::2], data[f"reg{size}_sub"], f"reg{size}")
    pair = network.template(network.features(_images(crops["z127"], crops["z127_synth"])))
    maps = network.predict(network.features(_images(crops["x255"], crops["x255_synth"])), pair)
    check(maps.classification, data["cls_batch"], "cls_batch")
    check(maps.regression[:, :, ::2, ::2], data["reg_batch_sub"], "reg_batch")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", fixture_cases("net_*", FAMILY))
@torch.inference_mode()
def test_every_recorded_layer(path: Path, form: str) -> None:
    data, crops = load_npz(path), _crops()
    architecture = _architecture(path)
    network = FORMS[form](architecture, filler_seed(path))
    tolerance = network_tolerance(architecture)

    def check(actual: Any, expected: NDArray[Any], name: str) -> None:
        assert_close_relative(actual, expected, tolerance, name)

    assert isinstance(network, SiamFcNet | UpChannelRpnNet)
    backbone = network.backbone
    assert isinstance(backbone, CroppedBackbone)
    template = backbone(_images(crops["z127"]))
    check(template[:, ::16], data["zf_sub"], "zf")
    check(channel_stats(template), data["zf_stats"], "zf stats")
    outputs = _record(backbone) if form == "plain" else {}
    searches = [crops["x255"]] if "cls" in data else [crops["x255"], crops["x255_synth"]]
    features = backbone(_images(*searches))
    check(features[:1, ::32], data["xf_sub"], "xf")
    if form == "plain":
        _check_layers(outputs, data, check)
    if isinstance(network, SiamFcNet):
        _check_fc(network, data, crops, check)
    else:
        _check_rpn(network, data, crops, check)
