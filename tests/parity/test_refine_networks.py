"""Alpha-Refine networks against the official ones, layer by layer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.registry import build_network
from tests.parity.fixtures import (
    MASK_PIXEL_TOLERANCE,
    assert_close_relative,
    channel_stats,
    check_manifest,
    fill_network,
    filler_seed,
    fixture_cases,
    load_npz,
    needs_shared,
    network_input,
)

_C21_UNUSED = ("feature_extractor.fc", "feature_extractor.layer4")
MANIFESTS = {
    "ar_v20": ("ARnet_seg_mask_vot2020_384", ("feature_extractor.fc",)),
    "ar_c21_r34": ("SEcm_r34_cvpr2021", _C21_UNUSED),
    "ar_c21_r18": ("SEcm_r18_cvpr2021_inferred", _C21_UNUSED),
}


class Recorder:
    """Runs a filled network on a fixture's crops and keeps what its modules gave.

    Attributes:
        kernel: of the reference crop.
        reference_features: backbone stages of the reference crop.
        features: backbone stages of the search crop.
        modules: module name -> its (first) output in the search, and "corr", the correlation.
        output: of the search.
        unread: arrays of the fixture that nothing has compared yet.
    """

    def __init__(self, name: str, path: Path) -> None:
        self._arrays = load_npz(path)
        self.unread = set(self._arrays)
        self.network = build_network(name)
        fill_network(self.network, filler_seed(path))
        self.modules: dict[str, Any] = {}
        for module_name, module in self.network.named_modules():
            module.register_forward_hook(self._keep(module_name))
        self._record_correlation()
        x, y, w, h = self.read("ref_box_in_crop")
        boxes = torch.tensor([[x, y, x + w, y + h]])
        with torch.inference_mode():
            self.kernel = self.network.reference(network_input(self.read("ref_crop_u8")), boxes)
            self.reference_features = self.modules["backbone"]
            self.output = self.network.search(
                network_input(self.read("search_crop_u8")), self.kernel
            )
            self.features = self.modules["backbone"]

    def _keep(self, name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
            self.modules[name] = output[0] if isinstance(output, tuple) else output

        return hook

    def _record_correlation(self) -> None:
        correlate = self.network.neck.correlate

        def recorded(kernel: Tensor, search: Tensor) -> Tensor:
            self.modules["corr"] = correlate(kernel, search)
            return self.modules["corr"]

        self.network.neck.correlate = recorded

    def read(self, name: str) -> NDArray[Any]:
        """One array of the fixture."""
        self.unread.discard(name)
        return self._arrays[name]

    def check(self, name: str, actual: Tensor) -> None:
        """Compare one array."""
        assert_close_relative(actual, self.read(name), name=name)

    def check_stats(self, name: str, actual: Tensor) -> None:
        """Compare channel means and deviations, each at its own scale."""
        expected = self.read(name)
        for row, kind in enumerate(("mean", "std")):
            assert_close_relative(channel_stats(actual)[row], expected[row], name=f"{name} {kind}")


def _strided(features: Tensor, channels: int, space: int = 1) -> Tensor:
    return features[:, ::channels, ::space, ::space]


@pytest.mark.parametrize("path", fixture_cases("net_ar384_w*"))
def test_vot2020(path: Path) -> None:
    run = Recorder("ar_v20", path)
    modules = run.modules
    run.check("ref_layer4_sub", _strided(run.reference_features["layer3"], 64))
    run.check("ref_kernel_sub", _strided(run.kernel, 16))
    shifted = {f"layer{i + 1}": run.features[f"layer{i}"] for i in range(1, 5)}
    for name, values in {"layer1": modules["backbone.maxpool"], **shifted}.items():
        steps = (64, 2) if name in ("layer4", "layer5") else (32, 4)
        run.check(f"{name}_sub", _strided(values, *steps))
        run.check_stats(f"{name}_stats", values)
    run.check("corr", _strided(modules["corr"], 4))
    run.check_stats("corr_stats", modules["corr"])
    run.check("se_out_sub", _strided(modules["neck.channel_attention"], 16))
    run.check("nl_out_sub", _strided(modules["neck.spatial_attention"], 8))
    for block in ("TSE", "RRB1", "CAB", "RRB2"):
        for level in ("layer5", "layer4", "layer3", "layer2"):
            stage = modules[f"mask_head.{block}.{level}"]
            run.check(f"refiner_{block}_{level}_sub", _strided(stage, 16, 2))
    _check_vot2020_mask(run)
    assert not run.unread


def _check_vot2020_mask(run: Recorder) -> None:
    assert run.output.corners is None and run.output.mask_logits is not None
    logits = run.output.mask_logits[0, 0]
    probability = logits.sigmoid().double()
    run.check("mask_logits_sub2", logits[::2, ::2])
    run.check("mask_prob_sub2", probability[::2, ::2])
    mean, deviation, above = run.read("mask_prob_stats")
    assert probability.mean().item() == pytest.approx(mean, rel=1e-4)
    assert probability.std().item() == pytest.approx(deviation, rel=1e-4)
    pixels = (probability > 0.65).sum().item()
    assert abs(pixels - above * probability.numel()) <= MASK_PIXEL_TOLERANCE


@pytest.mark.parametrize(
    "path", [*fixture_cases("net_ar256_r34_w*"), *fixture_cases("net_ar256_r18_w*")]
)
def test_cvpr2021(path: Path) -> None:
    depth = path.stem.split("_")[2]
    run = Recorder(f"ar_c21_{depth}", path)
    modules, output = run.modules, run.output
    run.check("ref_kernel_sub", _strided(run.kernel, 8))
    for stage, steps in {
        "conv1": (16, 4),
        "layer1": (8, 2),
        "layer2": (8, 2),
        "layer3": (8, 1),
    }.items():
        run.check(f"{stage}_sub", _strided(run.features[stage], *steps))
        run.check_stats(f"{stage}_stats", run.features[stage])
    run.check("corr", modules["corr"])
    run.check("post_corr", _strided(modules["neck.post_corr"], 2))
    run.check("fused_feat", modules["neck.channel_attention"])
    for level, steps in enumerate(((16, 4), (32, 2), (32, 1))):
        run.check(f"adj{level}_sub", _strided(modules[f"lateral.{level}"], *steps))
    _check_corners(run)
    run.check("post0", _strided(modules["mask_head.post0"], 4))
    run.check("post1", _strided(modules["mask_head.post1"], 2))
    run.check("mask_logits128", modules["mask_head"][0, 0])
    assert output.mask_logits is not None
    run.check("mask_prob256", output.mask_logits[0, 0, ::2, ::2].sigmoid())
    assert not run.unread


def _check_corners(run: Recorder) -> None:
    corners, logits = run.output.corners, run.output.corner_logits
    assert corners is not None and logits is not None
    heat = logits.flatten(2).softmax(-1).reshape(logits.shape)
    for index, corner in enumerate(("tl", "br")):
        run.check(f"score_{corner}", logits[:, index : index + 1])
        run.check(f"heat_{corner}", heat[:, index])
    run.check("corner_xyxy", corners)


@needs_shared
@pytest.mark.parametrize("name", MANIFESTS)
def test_official_names_and_shapes(name: str) -> None:
    check_manifest(build_network(name), *MANIFESTS[name])
