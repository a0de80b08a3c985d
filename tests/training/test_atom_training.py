from pathlib import Path

import numpy as np
import pytest
import torch

from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.nets.atom.network import AtomNet
from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import PLAIN, DimpCropConfig
from alpharefine.training.run import build_module, train_family
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.sources import HoldOut, SourceConfig
from alpharefine.training.tasks.atom.config import (
    AtomDataConfig,
    AtomLossConfig,
    AtomOptimConfig,
    AtomRunConfig,
)
from alpharefine.training.tasks.atom.module import AtomTrainingModule
from alpharefine.training.tasks.atom.task import ATOM
from alpharefine.training.tasks.dimp.box_training import OverlapObjective
from alpharefine.training.tasks.dimp.proposals import box_overlap, draw_overlapping
from tests.training.layouts import NO_SYNTHESIS, write_stills

SIGMAS = (0.01, 0.05, 0.1, 0.2, 0.3)


def recipe(cached: int = 0) -> AtomRunConfig:
    return AtomRunConfig(
        data=AtomDataConfig(
            sources=(SourceConfig("masks", "stills"),),
            clip=ClipConfig(train=1, test=2),
            crops=DimpCropConfig(size=64, area_factor=3.0, max_scale_change=None),
            held_out=HoldOut(one_in=3),
            validation_samples=2,
            synthesis=NO_SYNTHESIS,
            appearance=PLAIN,
        ),
        network=AtomNetConfig("efficientnet_lite0", iou_channels=8, iou_reference_channels=8),
        optim=AtomOptimConfig(imagenet=False, cached_samples=cached),
        losses=AtomLossConfig(proposals=4),
        engine=EngineConfig(epochs=1, steps_per_epoch=2, batch_size=2, device="cpu", workers=0),
    )


@pytest.mark.parametrize("cached", [0, 4])
def test_a_run_trains_the_box_regressor_alone(tmp_path: Path, cached: int) -> None:
    write_stills(tmp_path / "data" / "stills")
    (row,) = train_family(ATOM, recipe(cached), tmp_path / "data", tmp_path / "run")
    assert np.isfinite(row["train/loss"]) and 0 < row["val/best_overlap"] <= 1


def test_the_backbone_is_frozen_and_cached_features_are_the_same() -> None:
    module = build_module(ATOM, recipe()).eval()
    assert isinstance(module, AtomTrainingModule) and isinstance(module.network, AtomNet)
    assert not any(p.requires_grad for p in module.network.backbone.parameters())
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (2, 3, 64, 64, 3), dtype=torch.uint8, generator=generator)
    batch = {"images": images, "boxes": torch.tensor([20.0, 20, 20, 20]).expand(2, 3, 4)}
    losses = []
    for each in (batch, module.encode(batch)):
        torch.manual_seed(0)
        losses.append(float(module(each)["loss"].detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


def test_drawn_boxes_overlap_as_much_as_wanted() -> None:
    boxes = torch.tensor([[10.0, 20.0, 30.0, 40.0], [0.0, 0.0, 5.0, 50.0]])
    drawn = draw_overlapping(boxes, 500, SIGMAS, 0.4, torch.Generator().manual_seed(0))
    assert drawn.overlap.min() >= 0.4 and drawn.overlap.max() < 1
    torch.testing.assert_close(drawn.overlap, box_overlap(drawn.boxes, boxes[:, None]))
    # Narrow draws and wide ones.
    assert (drawn.overlap > 0.9).float().mean() > 0.2 < (drawn.overlap < 0.7).float().mean()


def test_the_overlap_is_learned_between_minus_one_and_one() -> None:
    class Exact(BoxRegressor):
        def predict(self, modulated: IouFeatures, boxes: torch.Tensor) -> torch.Tensor:
            return 2 * box_overlap(boxes, targets[:, None]) - 1

    targets = torch.tensor([[10.0, 20.0, 30.0, 40.0]])
    maps = IouFeatures(torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 4, 4))
    loss, boxes, values = OverlapObjective(8, SIGMAS, 0.1)(Exact(4, 4, 4, 4), maps, targets)
    assert float(loss) < 1e-10 and boxes.shape == (1, 8, 4) and values.shape == (1, 8)
