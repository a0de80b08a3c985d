from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from alpharefine.errors import UsageError
from alpharefine.nets.mdnet.config import MdNetConfig
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import PLAIN
from alpharefine.training.run import build_module, draw_samples, train_family
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.sources import HoldOut, SourceConfig
from alpharefine.training.tasks.dimp.proposals import box_overlap
from alpharefine.training.tasks.rtmdnet.boxes import draw_around
from alpharefine.training.tasks.rtmdnet.config import (
    RtMdNetDataConfig,
    RtMdNetLossConfig,
    RtMdNetOptimConfig,
    RtMdNetRunConfig,
    SceneCropConfig,
)
from alpharefine.training.tasks.rtmdnet.module import Branches, RtMdNetModule
from alpharefine.training.tasks.rtmdnet.task import RTMDNET
from tests.training.layouts import NO_SYNTHESIS, write_stills

LOSSES = RtMdNetLossConfig(positives=4, negatives=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_stills(root / "stills")
    return root


def recipe(domains: int = 4) -> RtMdNetRunConfig:
    return RtMdNetRunConfig(
        data=RtMdNetDataConfig(
            sources=(SourceConfig("masks", "stills"),),
            clip=ClipConfig(train=1, test=1),
            crops=SceneCropConfig(size=64, object_size=24),
            held_out=HoldOut(one_in=3),
            validation_samples=2,
            synthesis=NO_SYNTHESIS,
            appearance=PLAIN,
        ),
        network=MdNetConfig(hidden=16, channels=8, backbone="efficientnet_lite0"),
        optim=RtMdNetOptimConfig(imagenet=False, cached_samples=domains),
        losses=LOSSES,
        engine=EngineConfig(epochs=1, steps_per_epoch=2, batch_size=2, device="cpu", workers=0),
    )


def test_a_run_trains_shared_layers_and_leaves_the_backbone(data: Path, tmp_path: Path) -> None:
    (row,) = train_family(RTMDNET, recipe(), data, tmp_path / "run")
    assert 0 <= row["val/auc"] == row["val/score"] <= 1
    assert np.isfinite(row["train/loss"]) and row["train/embedding"] > 0


def test_targets_have_the_scenes_size_in_crops(data: Path) -> None:
    sample = draw_samples(RTMDNET, recipe(), data)[0]
    assert sample["images"].shape == (2, 64, 64, 3)
    boxes = sample["boxes"]
    torch.testing.assert_close(boxes[:, 2], boxes[:, 3])
    assert (boxes[:, 2] / 24).log().abs().max() <= 2 * 0.15 + 1e-3


def test_boxes_near_the_target_are_positive_and_those_around_it_mostly_negative() -> None:
    targets = torch.tensor([[20.0, 30.0, 24.0, 24.0], [10.0, 10.0, 30.0, 20.0]])
    config = RtMdNetLossConfig(positives=200, negatives=400)
    drawn = draw_around(targets, config, torch.Generator().manual_seed(0))
    near, around = drawn.overlap[:, :200], drawn.overlap[:, 200:]
    assert (near > 0.6).all() and near.mean() > 0.75
    assert (around <= 0.5).float().mean() > 0.7
    assert not (drawn.positive & drawn.negative).any()


def test_overlaps_are_intersections_over_unions() -> None:
    a, b = torch.tensor([0.0, 0.0, 4.0, 2.0]), torch.tensor([2.0, 0.0, 4.0, 2.0])
    assert float(box_overlap(a, b)) == pytest.approx(1 / 3)


def test_each_domain_has_its_own_layer() -> None:
    branches, hidden = Branches(5, 8), torch.rand(2, 3, 8)
    domains = torch.tensor([4, 1])
    scores = branches(hidden, domains)
    expected = hidden[0, 2] @ branches.weight[4].T + branches.bias[4]
    torch.testing.assert_close(scores[0, 2], expected)
    across = branches.target_scores(hidden.flatten(0, 1), domains)
    torch.testing.assert_close(across[:3, 0], scores[0, :, 1])


def test_the_embedding_loss_wants_targets_highest_in_their_own_domain() -> None:
    module = build_module(RTMDNET, recipe())
    assert isinstance(module, RtMdNetModule)
    hidden, positive = torch.eye(16)[:4], torch.tensor([True, True, False, True])
    domains = torch.tensor([0, 2])
    weight = torch.zeros(4, 2, 16)
    weight[0, 1, :2], weight[2, 1, 2:4] = 9.0, 9.0
    module.branches.weight.data = weight
    right = module._embedding_loss(hidden, positive, domains)
    module.branches.weight.data = weight[[2, 1, 0, 3]]
    wrong = module._embedding_loss(hidden, positive, domains)
    assert right < 0.01 < 5 < wrong


def test_a_held_out_domain_adapts_to_features_that_differ(data: Path) -> None:
    """A target of another color than its surroundings is found with random shared layers."""
    module = build_module(RTMDNET, recipe()).eval()
    images = torch.full((1, 2, 64, 64, 3), 40, dtype=torch.uint8)
    images[:, :, 20:44, 20:44] = torch.tensor([230, 40, 40], dtype=torch.uint8)
    boxes = torch.tensor([20.0, 20.0, 24.0, 24.0]).expand(1, 2, 4)
    assert module.validate([{"images": images, "boxes": boxes}])["auc"] > 0.9


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(UsageError, match="vgg_m cannot be trained"):
        replace(recipe(), network=MdNetConfig())
    with pytest.raises(UsageError, match="cached_samples must be 1 or more"):
        RtMdNetOptimConfig(cached_samples=0)
