"""Which precision "auto" takes, and how close the fast ones stay to float32 on real frames."""

import logging
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.build import build_tracker
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.registry import build_network
from alpharefine.nets.spec import IMAGENET
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.runtime import Runtime, fastest_precision, resolve_runtime, warn_of_emulation
from alpharefine.types import Box
from tests.outside import data_folder

# A processor that emulates bfloat16 rounds in other places, and never takes it by itself.
REDUCED = ["bfloat16"] if fastest_precision(torch.device("cpu")) == "bfloat16" else []
if torch.cuda.is_available():
    REDUCED.append("float16")

FEATURES = 0.02
"""Largest share of a feature map's norm by which it may differ."""

SEQUENCES, FRAMES = 3, 6


@pytest.mark.parametrize(
    ("native", "precision"),
    [
        ((), "float32"),
        (("_is_amx_tile_supported",), "bfloat16"),
        (("_is_avx512_bf16_supported",), "bfloat16"),
    ],
)
def test_a_cpu_runs_in_bfloat16_only_where_it_computes_it(
    native: tuple[str, ...], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for check in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, check, lambda name=check: name in native, raising=False)
    assert resolve_runtime("cpu", "auto").precision == precision


@pytest.mark.parametrize("native", [True, False])
def test_emulated_bfloat16_is_said_once(
    native: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for check in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.setattr(torch.cpu, check, lambda: native, raising=False)
    warn_of_emulation.cache_clear()
    for precision in ("bfloat16", "bfloat16", "float32"):
        resolve_runtime("cpu", precision)
    assert caplog.text.count("emulates it") == (not native)
    warn_of_emulation.cache_clear()


def test_a_cpu_that_tells_nothing_runs_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for check in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"):
        monkeypatch.delattr(torch.cpu, check, raising=False)
    assert fastest_precision(torch.device("cpu")) == "float32"


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((9, 0), "bfloat16"), ((8, 6), "bfloat16"), ((7, 5), "float16"), ((6, 1), "float32")],
)
def test_a_gpu_runs_in_what_it_computes(
    capability: tuple[int, int], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fastest_precision(torch.device("cuda")) == precision


def test_other_devices_and_the_default_are_float32() -> None:
    assert fastest_precision(torch.device("mps")) == "float32"
    assert resolve_runtime("cpu").precision == "float32"


def test_the_log_says_which(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "alpharefine.build"):
        build_tracker("DiMPlite", device="cpu")
    fastest = fastest_precision(torch.device("cpu"))
    assert f"DiMPlite runs on cpu in {fastest} (auto)" in caplog.text


class _Clip(NamedTuple):
    frames: list[NDArray[np.uint8]]
    target: Box


@pytest.fixture(scope="module")
def clips() -> list[_Clip]:
    """Beginnings of real sequences with masks."""
    folders = sorted(path.parent for path in data_folder("train_video").glob("*/masks"))
    return [_clip(folder) for folder in folders[:SEQUENCES]]


def _clip(folder: Path) -> _Clip:
    images = sorted(folder.rglob("*.jpg"))[: FRAMES + 1]
    mask = cv2.imread(str(min((folder / "masks").iterdir())), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    first = mask if mask.ndim == 2 else mask.max(2)
    target = mask_to_box((first == np.unique(first)[1]).astype(np.uint8))
    assert target is not None
    return _Clip([_read(path) for path in images], target)


def _read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _difference(actual: Tensor, expected: Tensor) -> float:
    return float((actual.float() - expected).norm() / expected.norm())


@pytest.mark.parametrize("precision", REDUCED)
@pytest.mark.parametrize("name", ["super_dimp", "dimp_lite", "ar_v20", "ar_c21_r34", "ar_lite"])
@torch.inference_mode()
def test_feature_maps(name: str, precision: str, clips: list[_Clip]) -> None:
    """Of seeded random networks: what is lost in rounding does not depend on the weights."""
    crop = np.stack([cv2.resize(clip.frames[0], (256, 256)) for clip in clips])
    maps = []
    for each in ("float32", precision):
        torch.manual_seed(0)
        runtime = resolve_runtime(_device(), each)
        backbone = runtime.prepare(build_network(name)).backbone
        images = CropInput(IMAGENET, runtime.device, runtime.dtype)(crop)
        maps.append(backbone(images, ("layer1", "layer2", "layer3")))
    exact, reduced = maps
    for stage, features in exact.items():
        assert _difference(reduced[stage], features) < FEATURES


def _overlap(a: Box, b: Box) -> float:
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (a.w * a.h + b.w * b.h - shared)


@pytest.mark.parametrize("precision", REDUCED)
def test_boxes_and_masks(precision: str, clips: list[_Clip]) -> None:
    """The trained small tracker, the fast one set back to the exact one's state in each frame."""
    exact, reduced = (
        build_tracker("ARDiMP_lite", device=_device(), precision=each)
        for each in ("float32", precision)
    )
    assert isinstance(exact, RefinedTracker) and isinstance(reduced, RefinedTracker)
    boxes, masks = [], []
    for frames, target in clips:
        for tracker in (exact, reduced):
            tracker.initialize(frames[0], target)
        for frame in frames[1:]:
            a, b = exact.track(frame), reduced.track(frame)
            assert a.mask is not None and b.mask is not None
            assert (a.lost, a.ambiguous) == (b.lost, b.ambiguous)
            assert abs(a.confidence - b.confidence) < 0.02
            boxes.append(_overlap(a.box, b.box))
            masks.append((a.mask & b.mask).sum() / (a.mask | b.mask).sum())
            reduced.set_state(exact.trace.fed_back)
    assert np.mean(boxes) > 0.97 and min(boxes) > 0.9
    assert np.mean(masks) > 0.97 and min(masks) > 0.9


@pytest.mark.parametrize(
    ("device", "dtype", "allowed"),
    [
        ("cuda", torch.float32, False),
        ("cuda", torch.bfloat16, True),
        ("cpu", torch.float32, True),
    ],
)
def test_float32_on_a_gpu_is_not_tf32(
    device: str, dtype: torch.dtype, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    Runtime(torch.device(device), dtype).forbid_tf32()
    assert torch.backends.cudnn.allow_tf32 is allowed
