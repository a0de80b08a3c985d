from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from alpharefine.errors import UsageError
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.refine.network import RefineOutput
from alpharefine.training.config import EngineConfig
from alpharefine.training.exports import load_refine_network
from alpharefine.training.run import build_module, draw_samples, train_family
from alpharefine.training.samples import SampleSet
from alpharefine.training.sources import HoldOut, SourceConfig
from alpharefine.training.tasks.refine.config import (
    RefineDataConfig,
    RefineLossConfig,
    RefineOptimConfig,
    RefineRunConfig,
)
from alpharefine.training.tasks.refine.metrics import RefineScores, box_iou
from alpharefine.training.tasks.refine.module import (
    RefineTrainingModule,
    mask_losses,
    selector_losses,
)
from alpharefine.training.tasks.refine.pictures import prediction_grid
from alpharefine.training.tasks.refine.task import REFINE
from tests.training.layouts import blank_labels, write_image, write_labels

TINY = RefineNetConfig(
    backbone="efficientnet_lite0",
    input_size=64,
    fusion_widths=(8,),
    corner_widths=(8,),
    mask_head="fpn",
    fpn_widths=(8, 8, 8),
)
SCRATCH = RefineOptimConfig(imagenet=False)


def _batch(n: int = 3, size: int = 64) -> dict[str, Tensor]:
    torch.manual_seed(0)
    mask = torch.zeros(n, 1, size, size, dtype=torch.uint8)
    mask[:, :, 16:40, 20:50] = 1
    return {
        "reference": torch.randint(0, 256, (n, size, size, 3), dtype=torch.uint8),
        "search": torch.randint(0, 256, (n, size, size, 3), dtype=torch.uint8),
        "reference_box": torch.tensor([[16.0, 16.0, 48.0, 48.0]]).repeat(n, 1),
        "corners": torch.tensor([[20.0, 16.0, 50.0, 40.0]]).repeat(n, 1),
        "mask": mask,
        "has_mask": torch.tensor([1.0] * (n - 1) + [0.0]),
    }


def _module(
    losses: RefineLossConfig | None = None, optim: RefineOptimConfig = SCRATCH
) -> RefineTrainingModule:
    torch.manual_seed(0)
    return RefineTrainingModule(TINY.build(), losses or RefineLossConfig(), optim)


def test_the_loss_is_the_papers_sum() -> None:
    module, batch = _module().eval(), _batch()
    losses = module(batch)
    corners, logits = module.predict(batch)
    assert corners is not None and logits is not None
    known = slice(0, 2)
    expected_box = (corners - batch["corners"]).square().mean()
    expected_mask = F.binary_cross_entropy_with_logits(logits[known], batch["mask"][known].float())
    torch.testing.assert_close(losses["box"], expected_box)
    torch.testing.assert_close(losses["mask"], expected_mask)
    torch.testing.assert_close(losses["loss"], expected_box + 1000 * expected_mask)


def test_unknown_masks_do_not_count() -> None:
    batch = _batch()
    logits = torch.randn(3, 1, 64, 64, requires_grad=True)
    losses = mask_losses(logits, batch["mask"].float(), batch["has_mask"])
    losses["mask"].backward()
    assert logits.grad is not None
    assert logits.grad[2].abs().max() == 0 and logits.grad[0].abs().max() > 0
    nothing = mask_losses(logits, batch["mask"].float(), torch.zeros(3))
    assert nothing["mask"].item() == 0 and nothing["dice"].item() == 0


def test_dice_is_zero_for_the_right_mask() -> None:
    masks = _batch()["mask"].float()
    right = mask_losses((masks * 2 - 1) * 50, masks, torch.ones(3))
    wrong = mask_losses((1 - masks * 2) * 50, masks, torch.ones(3))
    assert float(right["dice"]) < 1e-3 and float(wrong["dice"]) > 0.99


def test_frozen_stages_stay_as_they_are() -> None:
    optim = RefineOptimConfig(frozen_until="layer2", freeze_norm=True, imagenet=False)
    module = _module(optim=optim)
    module.train()
    assert module.network.neck.training
    before = {name: value.clone() for name, value in module.network.state_dict().items()}
    step = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], 0.01)
    module(_batch())["loss"].backward()
    step.step()
    changed = {
        name
        for name, value in module.network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    frozen = ("stem", "conv1", "layer1", "layer2")
    assert not any(name.startswith(f"backbone.{part}") for name in changed for part in frozen)
    assert any(name.startswith("backbone.layer3") for name in changed)
    assert not any(name.startswith("backbone") and "running" in name for name in changed)
    assert any(name.startswith("mask_head") and "running" in name for name in changed)


def test_an_unknown_frozen_stage_is_refused() -> None:
    with pytest.raises(UsageError, match="no backbone stage 'layer9'"):
        _module(optim=RefineOptimConfig(frozen_until="layer9", imagenet=False))


def test_encoded_pairs_give_the_same_losses() -> None:
    module, batch = _module().eval(), _batch()
    encoded = module.encode(batch)
    assert set(encoded) == {
        *("kernel", "layer1", "layer2", "layer3"),
        *("corners", "mask", "has_mask"),
    }
    direct, cached = module(batch), module(encoded)
    for name, value in direct.items():
        torch.testing.assert_close(cached[name], value, rtol=2e-2, atol=1e-2)


def test_a_cache_needs_a_frozen_backbone() -> None:
    with pytest.raises(UsageError, match="set frozen_until"):
        RefineOptimConfig(cached_samples=10)


def test_parameter_groups_hold_each_trained_parameter_once() -> None:
    optim = RefineOptimConfig(frozen_until="layer2", backbone_learning_rate=1e-5, imagenet=False)
    module = _module(optim=optim)
    groups = module.parameter_groups()
    assert [group.learning_rate for group in groups] == [1e-3, 1e-5]
    held = [id(p) for group in groups for p in group.parameters]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in module.parameters() if p.requires_grad}


def test_scores_of_known_predictions() -> None:
    batch, scores = _batch(), RefineScores()
    logits = torch.full((3, 1, 64, 64), -9.0)
    logits[:, :, 16:40, 20:35] = 9  # half of the mask
    corners = batch["corners"].clone()
    corners[0] = torch.tensor([50.0, 40.0, 20.0, 16.0])  # inverted
    scores.add(batch, corners, logits)
    row = scores.read()
    assert row["box_iou"] == pytest.approx(2 / 3)
    assert row["mask_iou"] == pytest.approx(0.5)
    assert row["mask_box_iou"] == pytest.approx(0.5)
    given = torch.tensor([[16.0, 16.0, 48.0, 48.0]])
    assert row["input_iou"] == pytest.approx(float(box_iou(given, batch["corners"][:1])))
    assert row["score"] == pytest.approx((2 / 3 + 0.5) / 2)


def test_an_empty_mask_scores_zero() -> None:
    scores = RefineScores()
    scores.add(_batch(), None, torch.full((3, 1, 64, 64), -9.0))
    row = scores.read()
    assert row["mask_iou"] == 0 and row["mask_box_iou"] == 0 and "box_iou" not in row


def test_pictures_show_truth_and_prediction() -> None:
    batch = _batch()
    batch["search"][:] = 0
    plain = prediction_grid(batch, None, None, columns=2)
    assert plain.shape == (2 * 32, 2 * 3 * 32, 3) and plain.dtype == np.uint8
    drawn = prediction_grid(batch, batch["corners"] + 6, torch.full((3, 1, 64, 64), 9.0), 2)
    assert int(drawn[..., 0].sum()) > int(plain[..., 0].sum())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for k in range(12):
        image = write_image(root / f"stills/images/{k}.jpg", 90, 120, seed=k)
        labels = blank_labels(90, 120)
        cv2.ellipse(labels, (60, 45), (20 + k, 15), 0, 0, 360, 1, -1)
        image[labels > 0] = (230, 30, 30)
        cv2.imwrite(str(root / f"stills/images/{k}.jpg"), image[..., ::-1])
        write_labels(root / f"stills/masks/{k}.png", labels)
    return root


def _run_config(**engine: object) -> RefineRunConfig:
    settings = {"epochs": 2, "steps_per_epoch": 3, "batch_size": 4, "workers": 0, "device": "cpu"}
    return RefineRunConfig(
        data=RefineDataConfig(
            sources=(SourceConfig("masks", "stills"),),
            held_out=HoldOut(one_in=3),
            validation_samples=4,
        ),
        network=TINY,
        optim=SCRATCH,
        engine=EngineConfig(**{**settings, **engine}),  # type: ignore[arg-type]
    )


def test_validation_samples_are_fixed_and_held_out(data: Path) -> None:
    def samples(seed: int, validation: bool = False) -> SampleSet:
        return draw_samples(REFINE, _run_config(seed=seed), data, validation)

    first, again = samples(0, validation=True), samples(7, validation=True)
    assert len(first) == 4
    assert torch.equal(first[2]["search"], again[2]["search"])
    assert not torch.equal(samples(7)[2]["search"], samples(0)[2]["search"])


def test_a_run_exports_a_network_that_loads(data: Path, tmp_path: Path) -> None:
    rows = train_family(REFINE, _run_config(), data, tmp_path / "run")
    assert len(rows) == 2 and 0 <= rows[-1]["val/score"] <= 1
    network = load_refine_network(str(tmp_path / "run/export.safetensors"))
    assert network.config == TINY
    best = torch.load(tmp_path / "run/best.pt", weights_only=True)["module"]
    for name, value in network.state_dict().items():
        assert torch.equal(value, best[f"network.{name}"])


def test_a_resumed_run_is_the_same(data: Path, tmp_path: Path) -> None:
    train_family(REFINE, _run_config(), data, tmp_path / "whole")
    config = _run_config()
    first = replace(config, engine=replace(config.engine, epochs=1))
    train_family(REFINE, first, data, tmp_path / "parts")
    train_family(REFINE, config, data, tmp_path / "parts")
    whole, parts = (
        torch.load(tmp_path / name / "last.pt", weights_only=True)["module"]
        for name in ("whole", "parts")
    )
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_heads_train_on_the_cached_features_of_an_earlier_run(data: Path, tmp_path: Path) -> None:
    train_family(REFINE, _run_config(), data, tmp_path / "first")
    optim = RefineOptimConfig(
        frozen_until="layer3",
        initial=str(tmp_path / "first/export.safetensors"),
        cached_samples=9,
    )
    train_family(REFINE, replace(_run_config(), optim=optim), data, tmp_path / "second")
    first, second = (
        load_file(tmp_path / name / "export.safetensors") for name in ("first", "second")
    )
    same = {name for name in first if torch.equal(first[name], second[name])}
    assert {name for name in first if name.startswith("backbone")} <= same
    assert not any(name.startswith("mask_head") and name.endswith("weight") for name in same)


def test_a_run_begins_with_the_whole_of_an_earlier_one(data: Path, tmp_path: Path) -> None:
    train_family(REFINE, _run_config(), data, tmp_path / "first")
    path = tmp_path / "first/export.safetensors"
    config = replace(_run_config(), optim=RefineOptimConfig(initial=str(path)))
    begun = build_module(REFINE, config)
    earlier = load_file(path)
    assert all(torch.equal(v, earlier[k]) for k, v in begun.network.state_dict().items())


def test_a_backbone_of_another_network_is_refused(data: Path, tmp_path: Path) -> None:
    train_family(REFINE, _run_config(), data, tmp_path / "first")
    optim = RefineOptimConfig(initial=str(tmp_path / "first/export.safetensors"))
    config = replace(_run_config(), optim=optim, network=replace(TINY, backbone="resnet18"))
    with pytest.raises(UsageError, match="is not the one of this recipe"):
        train_family(REFINE, config, data, tmp_path / "second")


@pytest.mark.soak
def test_it_learns_red_ellipses(data: Path, tmp_path: Path) -> None:
    config = _run_config(epochs=4, steps_per_epoch=60, batch_size=8)
    rows = train_family(REFINE, config, data, tmp_path / "run")
    assert rows[-1]["val/mask_iou"] > 0.6
    assert rows[-1]["val/mask_iou"] > rows[0]["val/mask_iou"]


def test_a_selector_learns_which_branch_is_best() -> None:
    truth = torch.tensor([[10.0, 10, 50, 50]] * 3)
    near, far = truth + 1, truth + 15
    scores = torch.zeros(3, 3, requires_grad=True)
    logits = torch.full((3, 1, 64, 64), -9.0)
    logits[2, 0, 10:50, 10:50] = 9
    direct = torch.stack([near[0], far[0], near[0]])
    corners = torch.stack([far[0], near[0], far[0]])
    losses = selector_losses(RefineOutput(corners, None, logits, direct, scores), truth)
    losses["choice"].backward()
    assert scores.grad is not None
    assert scores.grad.argmin(1).tolist() == [0, 1, 2]
    assert losses["direct"].item() == pytest.approx((1 + 225 + 1) / 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"box_head": "rpn"},
        {"box_head": "rcnn", "mask_head": None},
        {"selector": True, "non_local": True},
        {"box_head": None, "kernel": "roi"},
        {"correlation": "depthwise"},
        {"correlation": "naive"},
    ],
)
def test_every_design_option_trains(changes: dict[str, object]) -> None:
    torch.manual_seed(0)
    network = replace(TINY, **changes).build()  # type: ignore[arg-type]
    module, batch = RefineTrainingModule(network, RefineLossConfig(), SCRATCH), _batch(4)
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    values = []
    for _ in range(8):
        losses = module.train()(batch)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        values.append(losses["loss"].item())
    assert values[-1] < values[0]
    missing = [name for name, p in module.named_parameters() if p.grad is None]
    assert not missing
