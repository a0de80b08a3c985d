from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.utils.data import default_collate

from alpharefine.errors import UsageError
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import PLAIN, DimpCropConfig
from alpharefine.training.freezing import stages_until
from alpharefine.training.run import draw_samples, train_family
from alpharefine.training.samples import SampleSet
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.sources import HoldOut, SourceConfig
from alpharefine.training.tasks.dimp.config import (
    DimpDataConfig,
    DimpLossConfig,
    DimpOptimConfig,
    DimpRunConfig,
)
from alpharefine.training.tasks.dimp.module import DimpTrainingModule
from alpharefine.training.tasks.dimp.pictures import prediction_grid
from alpharefine.training.tasks.dimp.task import DIMP
from tests.training.layouts import NO_SYNTHESIS, blank_labels, write_image, write_labels

SIZE = 96


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for k in range(12):
        write_image(root / f"stills/images/{k}.jpg", 90, 120, seed=k)
        labels = blank_labels(90, 120)
        cv2.ellipse(labels, (60, 45), (20 + k, 15), 0, 0, 360, 1, -1)
        write_labels(root / f"stills/masks/{k}.png", labels)
        _redden(root / f"stills/images/{k}.jpg", labels)
        write_image(root / f"backgrounds/{k}.jpg", 70, 90, seed=100 + k)
        _redden(root / f"backgrounds/{k}.jpg", blank_labels(70, 90))
    return root


def _redden(path: Path, labels: NDArray[np.uint8]) -> None:
    """Take the colors from a picture, but paint the labeled pixels red."""
    image = cv2.imread(str(path))
    assert image is not None
    image[:] = image.mean(2, keepdims=True)
    image[labels > 0] = (20, 20, 220)
    cv2.imwrite(str(path), image)


def _config(**changes: object) -> DimpDataConfig:
    settings: dict[str, object] = {
        "sources": (SourceConfig("masks", "stills"),),
        "backgrounds": "backgrounds",
        "clip": ClipConfig(train=2, test=2, max_gap=200),
        "crops": DimpCropConfig(size=SIZE),
        "held_out": HoldOut(one_in=3),
        "validation_samples": 2,
        **changes,
    }
    return DimpDataConfig(**settings)  # type: ignore[arg-type]


def dimp_samples(
    config: DimpDataConfig, root: Path, seed: int, validation: bool = False
) -> SampleSet:
    run = DimpRunConfig(data=config, engine=EngineConfig(seed=seed))
    return draw_samples(DIMP, run, root, validation)


def test_the_defaults_are_super_dimps() -> None:
    config = DimpDataConfig(sources=())
    assert config.clip == ClipConfig(train=3, test=3, max_gap=200)
    assert (config.crops.size, config.crops.area_factor) == (352, 6.0)
    assert (config.crops.train_center_jitter, config.crops.test_center_jitter) == (3.0, 5.5)
    assert (config.crops.train_scale_jitter, config.crops.test_scale_jitter) == (0.25, 0.5)


def test_samples_depend_on_seed_and_number_alone(data: Path) -> None:
    first, again = dimp_samples(_config(), data, 0), dimp_samples(_config(), data, 0)
    for index in (0, 5, 1):
        for name, value in first[index].items():
            assert torch.equal(value, again[index][name])
    assert not torch.equal(first[0]["images"], dimp_samples(_config(), data, 1)[0]["images"])


@pytest.mark.parametrize("paste", [0.0, 1.0])
def test_boxes_lie_on_the_target(data: Path, paste: float) -> None:
    """Targets are plain red on gray noise, so that the pixels tell where they are."""
    synthesis = replace(NO_SYNTHESIS, paste=paste)
    samples = dimp_samples(_config(synthesis=synthesis, appearance=PLAIN), data, 0)
    overlaps = []
    for index in range(6):
        sample = samples[index]
        images, boxes = sample["images"].numpy(), sample["boxes"].numpy()
        assert images.shape == (4, SIZE, SIZE, 3) and images.dtype == np.uint8
        assert boxes.dtype == np.float32
        for image, box in zip(images, boxes, strict=True):
            overlaps.append(_overlap_with_red(image, box))
    assert np.median(overlaps) > 0.8


def _overlap_with_red(image: NDArray[np.uint8], box: NDArray[np.float32]) -> float:
    """Overlap (IoU) of the box, cut to the crop, with that of the red pixels."""
    levels = image.astype(int)
    rows, columns = np.nonzero(levels[..., 0] - levels[..., 1:].max(2) > 60)
    red = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    cut = np.clip([box[0], box[1], box[0] + box[2], box[1] + box[3]], 0, SIZE)
    common = np.minimum(red[2:], cut[2:]) - np.maximum(red[:2], cut[:2])
    shared = float(np.prod(np.maximum(common, 0)))
    return shared / float(np.prod(red[2:] - red[:2]) + np.prod(cut[2:] - cut[:2]) - shared)


def test_validation_samples_are_fixed(data: Path) -> None:
    first = dimp_samples(_config(), data, 0, validation=True)
    assert len(first) == 2
    again = dimp_samples(_config(), data, 7, validation=True)
    assert torch.equal(first[1]["images"], again[1]["images"])


def _run_config(cached: int, epochs: int, precision: str = "float32") -> DimpRunConfig:
    return DimpRunConfig(
        data=_config(),
        network=DimpNetConfig(
            "resnet18", clf_channels=16, iou_channels=8, iou_reference_channels=8
        ),
        optim=DimpOptimConfig(imagenet=False, backbone=0.0, cached_samples=cached),
        engine=EngineConfig(
            epochs=epochs, steps_per_epoch=2, batch_size=2, device="cpu", precision=precision
        ),
    )


@pytest.mark.parametrize("cached", [0, 3])
def test_interrupted_run_continues_bit_exactly(data: Path, tmp_path: Path, cached: int) -> None:
    whole = train_family(DIMP, _run_config(cached, 2), data, tmp_path / "whole")
    train_family(DIMP, _run_config(cached, 1), data, tmp_path / "parts")
    parts = train_family(DIMP, _run_config(cached, 2), data, tmp_path / "parts")
    assert [row["val/loss"] for row in parts] == [row["val/loss"] for row in whole]
    assert parts[0]["val/loss"] != parts[1]["val/loss"]


def test_a_trained_coarse_stage_learns_from_the_cached_fine_one(data: Path, tmp_path: Path) -> None:
    optim = DimpOptimConfig(
        imagenet=False, backbone=1e-3, frozen_until="layer2", freeze_norm=True, cached_samples=3
    )
    config = replace(_run_config(3, 1), optim=optim)
    train_family(DIMP, config, data, tmp_path / "run")
    assert {f.stem for f in (tmp_path / "run/features/training").glob("*.npy")} == {"fine", "boxes"}
    # A run of no learning leaves the weights that the first begins with.
    still = replace(optim, backbone=0.0, cached_samples=0)
    train_family(DIMP, replace(config, optim=still), data, tmp_path / "still")
    trained, begun = (
        load_file(tmp_path / name / "export.safetensors") for name in ("run", "still")
    )
    changed = {k for k, v in trained.items() if not torch.equal(v, begun[k])}
    in_backbone = {k for k in changed if k.startswith("backbone")}
    assert in_backbone and all(k.startswith("backbone.layer3") for k in in_backbone)
    assert not any("running" in k for k in in_backbone)


def test_cached_fine_features_give_the_losses_of_the_images(data: Path) -> None:
    network = DimpNet(_run_config(0, 1).network)
    module = DimpTrainingModule(network, DimpLossConfig(proposals=8), DimpOptimConfig(), 2).eval()
    batch = default_collate([dimp_samples(_config(), data, 0)[0]])
    encoded = module.encode(batch)
    assert set(encoded) == {"fine", "boxes"}
    losses = []
    for given in (batch, encoded):
        torch.manual_seed(0)
        losses.append(module(given)["loss"])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-2, atol=1e-2)


def test_cached_features_train_in_mixed_precision(data: Path, tmp_path: Path) -> None:
    [row] = train_family(DIMP, _run_config(3, 1, "bfloat16"), data, tmp_path)
    assert np.isfinite(row["val/loss"])


def test_pictures_show_truth_scores_and_boxes() -> None:
    images = torch.zeros(2, 4, SIZE, SIZE, 3, dtype=torch.uint8)
    boxes = torch.tensor([30.0, 30, 40, 30]).expand(2, 4, 4)
    scores = torch.zeros(2, 2, 7, 7)
    scores[:, 0, 2, 4] = 1
    picture = prediction_grid(images, boxes, scores, boxes[:, 2:] + 8, columns=1)
    assert picture.shape == (2 * SIZE // 2, 3 * SIZE // 2, 3) and picture.dtype == np.uint8
    train, test, heat = np.split(picture[: SIZE // 2].astype(int), 3, axis=1)
    assert train[..., 1].max() > 0 == train[..., 0].max()
    assert test[..., 1].max() > 0 < test[..., 0].max()
    row, column = np.unravel_index(heat[..., 0].argmax(), heat.shape[:2])
    assert abs(row - 2 * 16 / 2) <= 1 and abs(column - 4 * 16 / 2) <= 1


def test_the_most_valued_box_is_near_the_target(data: Path) -> None:
    config = _run_config(0, 1)
    losses, optim = DimpLossConfig(proposals=8), DimpOptimConfig()
    module = DimpTrainingModule(DimpNet(config.network), losses, optim, 2).eval()
    samples = dimp_samples(config.data, data, 0)
    batch = default_collate([samples[k] for k in range(3)])
    with torch.no_grad():
        scores, boxes = module.predict(batch)
    assert scores.shape[:2] == (3, 2) and boxes.shape == (3, 2, 4)
    shift = (boxes[..., :2] + boxes[..., 2:] / 2) - (
        batch["boxes"][:, 2:, :2] + batch["boxes"][:, 2:, 2:] / 2
    )
    assert (shift.abs() < 3 * batch["boxes"][:, 2:, 2:]).all()
    assert len(boxes.flatten(0, 1).unique(dim=0)) == 6


def test_frozen_stages_stay_as_they_are(data: Path, tmp_path: Path) -> None:
    config = _run_config(0, 1)
    config = replace(config, optim=replace(config.optim, backbone=1e-2, frozen_until="layer1"))
    torch.manual_seed(config.engine.seed)
    before = DimpNet(config.network).backbone.state_dict()
    train_family(DIMP, config, data, tmp_path)
    after = load_file(tmp_path / "export.safetensors")
    changed = {
        name.partition(".")[0]
        for name, value in before.items()
        if not torch.equal(value, after[f"backbone.{name}"])
    }
    assert changed == {"layer2", "layer3"}


def test_an_unknown_frozen_stage_is_refused() -> None:
    backbone = DimpNet(_run_config(0, 1).network).backbone
    assert stages_until(backbone, None) == []
    with pytest.raises(UsageError, match="no backbone stage 'layer9'; choose from conv1"):
        stages_until(backbone, "layer9")


def test_cache_of_a_trained_backbone_is_refused() -> None:
    with pytest.raises(UsageError, match="frozen backbone"):
        DimpOptimConfig(frozen_until="layer1", cached_samples=5)
