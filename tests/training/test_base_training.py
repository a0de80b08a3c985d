from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.nets.dimp import DimpNetConfig
from alpharefine.training.base.cache import CachedSamples
from alpharefine.training.base.samples import DimpSampleConfig, DimpSamples
from alpharefine.training.base.task import DimpOptimConfig, DimpRunConfig, train_base
from alpharefine.training.config import EngineConfig
from alpharefine.training.data.groups import HoldOut, SourceConfig
from tests.training.layouts import blank_labels, write_image, write_labels

SIZE = 96


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for k in range(12):
        write_image(root / f"stills/images/{k}.jpg", 90, 120, seed=k)
        labels = blank_labels(90, 120)
        cv2.ellipse(labels, (60, 45), (20 + k, 15), 0, 0, 360, 1, -1)
        write_labels(root / f"stills/masks/{k}.png", labels)
        write_image(root / f"backgrounds/{k}.jpg", 70, 90, seed=100 + k)
    return root


def _config(**changes: object) -> DimpSampleConfig:
    settings = {
        "sources": (SourceConfig("masks", "stills"),),
        "backgrounds": "backgrounds",
        "train_frames": 2,
        "test_frames": 2,
        "sample_size": SIZE,
        "held_out": HoldOut(one_in=3),
        "validation_samples": 2,
        **changes,
    }
    return DimpSampleConfig(**settings)  # type: ignore[arg-type]


def test_samples_depend_on_seed_and_number_alone(data: Path) -> None:
    first, again = DimpSamples(_config(), data, 0), DimpSamples(_config(), data, 0)
    for index in (0, 5, 1):
        for name, value in first[index].items():
            assert torch.equal(value, again[index][name])
    assert not torch.equal(first[0]["images"], DimpSamples(_config(), data, 1)[0]["images"])


@pytest.mark.parametrize("paste", [0.0, 1.0])
def test_boxes_lie_on_the_target(data: Path, paste: float) -> None:
    samples = DimpSamples(_config(paste=paste, distractors=0), data, 0)
    for index in range(6):
        sample = samples[index]
        assert sample["images"].shape == (4, SIZE, SIZE, 3)
        assert sample["images"].dtype == torch.uint8
        boxes = sample["boxes"].numpy()
        centers = boxes[:, :2] + boxes[:, 2:] / 2
        assert (centers >= 0).all() and (centers <= SIZE).all()
        assert (boxes[:, 2:] >= 4).all()
        # Without jitter the target's area is the sample's over the squared search area scale.
        assert np.median(np.sqrt(boxes[:, 2] * boxes[:, 3])) < SIZE / 2


def test_validation_images_are_not_trained_on(data: Path) -> None:
    held = {
        id_
        for validation in (False, True)
        for group in DimpSamples(_config(), data, 0, validation)._groups
        for id_ in ((validation, int(i)) for i in group.indices)
    }
    training = {i for validation, i in held if not validation}
    kept = {i for validation, i in held if validation}
    assert training and kept and not training & kept


def _run_config(cached: int, epochs: int) -> DimpRunConfig:
    return DimpRunConfig(
        data=_config(),
        network=DimpNetConfig(
            "resnet18", clf_channels=16, iou_channels=8, iou_reference_channels=8
        ),
        optim=DimpOptimConfig(imagenet=False, backbone=0.0, cached_samples=cached),
        engine=EngineConfig(epochs=epochs, steps_per_epoch=2, batch_size=2, device="cpu"),
    )


@pytest.mark.parametrize("cached", [0, 3])
def test_interrupted_run_continues_bit_exactly(data: Path, tmp_path: Path, cached: int) -> None:
    whole = train_base(_run_config(cached, 2), data, tmp_path / "whole")
    train_base(_run_config(cached, 1), data, tmp_path / "parts")
    parts = train_base(_run_config(cached, 2), data, tmp_path / "parts")
    assert [row["val/loss"] for row in parts] == [row["val/loss"] for row in whole]
    assert parts[0]["val/loss"] != parts[1]["val/loss"]


def test_cached_samples_repeat_in_new_orders(data: Path, tmp_path: Path) -> None:
    train_base(_run_config(3, 1), data, tmp_path)
    cached = CachedSamples(tmp_path / "features/training", seed=0, endless=True)
    turns = [[cached[3 * turn + k]["boxes"].sum().item() for k in range(3)] for turn in range(4)]
    assert all(sorted(turn) == sorted(turns[0]) for turn in turns)
    assert len({tuple(turn) for turn in turns}) > 1


def test_cache_of_a_trained_backbone_is_refused() -> None:
    with pytest.raises(UsageError, match="frozen backbone"):
        DimpOptimConfig(cached_samples=5)
