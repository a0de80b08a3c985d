"""Training of Siamese trackers: pairs, labels, unlocking, whole runs."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.utils.data import default_collate

from alpharefine.data.source import TrainFrame
from alpharefine.data.square_crops import read_square_crops
from alpharefine.errors import UsageError
from alpharefine.nets.backbones.cir import CroppedBackbone
from alpharefine.nets.registry import input_of
from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig, UpChannelRpnConfig
from alpharefine.nets.spec import IMAGENET, RAW_BGR, InputSpec
from alpharefine.trackers.siamese.config import AnchorConfig, ContextConfig
from alpharefine.trackers.siamese.proposals import anchor_boxes
from alpharefine.training.config import EngineConfig, ScheduleConfig, find_config, load_config
from alpharefine.training.crops import PLAIN
from alpharefine.training.interface import Batch
from alpharefine.training.pretrained import move_normalization
from alpharefine.training.run import Family, draw_samples, train_family
from alpharefine.training.schedule import rate_factor
from alpharefine.training.sources import HoldOut, SourceConfig
from alpharefine.training.tasks.siamese.config import (
    JitterConfig,
    SiameseCropConfig,
    SiameseDataConfig,
    SiameseOptimConfig,
    Unlock,
)
from alpharefine.training.tasks.siamese.crops import SiameseCutter
from alpharefine.training.tasks.siamese.labels import (
    AnchorLabelConfig,
    anchor_ious,
    anchor_targets,
    center_labels,
)
from alpharefine.training.tasks.siamese.losses import LOSSES, balanced_loss
from alpharefine.training.tasks.siamfc.config import SiamFcLossConfig, SiamFcRunConfig
from alpharefine.training.tasks.siamfc.module import SiamFcModule
from alpharefine.training.tasks.siamfc.task import SIAMFC
from alpharefine.training.tasks.siamrpn.config import SiamRpnLossConfig, SiamRpnRunConfig
from alpharefine.training.tasks.siamrpn.module import SiamRpnModule
from alpharefine.training.tasks.siamrpn.task import SIAMRPN
from alpharefine.types import Box
from tests.training.layouts import NO_SYNTHESIS, blank_labels, write_image, write_labels

LITE = DepthwiseRpnConfig(
    "efficientnet_lite0", False, ("layer2", "layer3"), True, 8, template_cells=8, fusion="mean"
)
FC_LITE = SiamFcNetConfig(
    "efficientnet_lite0", 0.1, ("layer2", "layer3"), channels=8, template_cells=8
)
TARGET = Box(60, 40, 30, 50)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for k in range(8):
        image = write_image(root / f"stills/images/{k}.jpg", 120, 160, seed=k)
        labels = blank_labels(120, 160)
        cv2.ellipse(labels, (80, 60), (14 + k, 18), 0, 0, 360, 1, -1)
        image[labels > 0] = (230, 30, 30)
        cv2.imwrite(str(root / f"stills/images/{k}.jpg"), image[..., ::-1])
        write_labels(root / f"stills/masks/{k}.png", labels)
    return root


def _data(**crops: object) -> SiameseDataConfig:
    return SiameseDataConfig(
        sources=(SourceConfig("masks", "stills"),),
        held_out=HoldOut(one_in=3),
        validation_samples=2,
        synthesis=NO_SYNTHESIS,
        appearance=PLAIN,
        crops=SiameseCropConfig(**crops),  # type: ignore[arg-type]
    )


def _engine(epochs: int = 1) -> EngineConfig:
    return EngineConfig(
        epochs=epochs, steps_per_epoch=2, batch_size=2, workers=0, device="cpu", optimizer="sgd"
    )


def _rpn(cached: int = 0, epochs: int = 1) -> SiamRpnRunConfig:
    return SiamRpnRunConfig(
        data=_data(),
        network=LITE,
        optim=SiameseOptimConfig(imagenet=False, learning_rate=1e-3, cached_samples=cached),
        losses=SiamRpnLossConfig(negative_pairs=0.5, sum_weight=0.1),
        engine=_engine(epochs),
    )


def _fc(epochs: int = 1, unlock: tuple[Unlock, ...] = ()) -> SiamFcRunConfig:
    return SiamFcRunConfig(
        data=_data(),
        network=FC_LITE,
        optim=SiameseOptimConfig(imagenet=False, learning_rate=1e-3, unlock=unlock),
        losses=SiamFcLossConfig(negative_pairs=0.5),
        engine=_engine(epochs),
    )


@pytest.mark.parametrize("shift", [0.0, 64.0])
def test_boxes_of_pairs_lie_on_the_target(shift: float) -> None:
    image = np.full((150, 200, 3), 90, np.uint8)
    image[40:90, 60:90] = (250, 20, 20)
    frame = TrainFrame(image, TARGET, None)
    config = SiameseCropConfig(search=JitterConfig(shift, 0.1 if shift else 0.0))
    for seed in range(4):
        sample = SiameseCutter(config, PLAIN)([frame, frame], np.random.default_rng(seed))
        assert sample["template"].shape == (127, 127, 3)
        assert sample["search"].shape == (255, 255, 3)
        rows, columns = np.nonzero(sample["search"][..., 0].astype(int) > 170)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(sample["box"], found, atol=2.5)
        middle = (sample["box"][:2] + sample["box"][2:]) / 2 - 127.5
        np.testing.assert_allclose(sample["displacement"], middle, atol=1 + shift / 8)


def test_shifts_end_at_the_base_crop() -> None:
    """The published label follows the shift that was asked for."""
    image = np.zeros((150, 200, 3), np.uint8)
    frames = [TrainFrame(image, TARGET, None)] * 2
    displacements = {}
    for name in ("applied", "requested"):
        config = SiameseCropConfig(
            base_size=271,
            search=JitterConfig(shift=60.0),
            label_shift=name,  # type: ignore[arg-type]
        )
        sample = SiameseCutter(config, PLAIN)(frames, np.random.default_rng(0))
        displacements[name] = np.abs(sample["displacement"])
    assert displacements["applied"].max() <= 14
    assert displacements["requested"].max() > 14


def test_labels_follow_the_nearest_cell() -> None:
    displacement = torch.tensor([[0.0, 0.0], [-3.9, 4.1], [-64.0, 64.0]])
    labels = center_labels(displacement, 17)
    assert labels.sum((1, 2)).tolist() == [13, 13, 6]
    peaks = [(8, 8), (9, 8), (16, 0)]
    for label, (row, column) in zip(labels, peaks, strict=True):
        assert label[row, column] == 1
    floored = center_labels(torch.tensor([[-0.6, 0.4]]), 17, rounding="floor")
    assert floored[0, 8, 5] == 1 and floored[0, 8, 10] == 0


def test_a_foreign_target_has_only_negatives_and_those_near_it() -> None:
    anchors = anchor_boxes(AnchorConfig(), 17).astype(np.float64)
    anchors[:2] += 127
    box = np.array([100.0, 90, 170, 160])
    rng = np.random.default_rng(0)
    config = AnchorLabelConfig()
    found = anchor_targets(box, anchors, config, rng, is_foreign=True).labels
    assert set(np.unique(found)) == {-1, 0} and (found == 0).sum() == config.foreign
    assert (anchor_ious(box, anchors)[found == 0] > config.negative_iou).all()


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", "logistic", "focal"])
def test_losses_part_targets_from_background(name: str) -> None:
    torch.manual_seed(0)
    scores = torch.zeros(40, requires_grad=True)
    labels = (torch.arange(40) % 4 == 0).float()
    optimizer = torch.optim.SGD([scores], 1.0)
    for _ in range(200):
        optimizer.zero_grad()
        balanced_loss(LOSSES[name], scores, labels).backward()
        optimizer.step()
    assert scores[labels == 1].min() > 0.5 and scores[labels == 0].max() < -0.2


def test_the_forks_hinge_loss_ranks_background_above_targets() -> None:
    scores = torch.zeros(40, requires_grad=True)
    labels = (torch.arange(40) % 4 == 0).float()
    balanced_loss(LOSSES["hinge_fork"], scores, labels).backward()
    assert scores.grad is not None
    assert scores.grad[labels == 1].min() > 0
    assert scores.grad[labels == 0].abs().max() == 0


def test_hinge_of_zero_scores_is_one_and_ends_at_the_margin() -> None:
    labels = torch.tensor([1.0, 0.0, 0.0])
    assert float(balanced_loss(LOSSES["hinge"], torch.zeros(3), labels)) == 1
    sure = torch.tensor([1.0, -1.0, -2.0])
    assert float(balanced_loss(LOSSES["hinge"], sure, labels)) == 0


def _batch(count: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)

    def images(size: int) -> torch.Tensor:
        return torch.randint(0, 256, (count, size, size, 3), generator=generator, dtype=torch.uint8)

    return {
        "template": images(127),
        "search": images(255),
        "box": torch.tensor([[90.0, 100, 150, 160]]).repeat(count, 1),
        "displacement": torch.tensor([[-7.5, 2.5]]).repeat(count, 1),
    }


def test_encoded_pairs_give_the_same_answer() -> None:
    torch.manual_seed(0)
    optim = SiameseOptimConfig(imagenet=False)
    rpn = SiamRpnModule(LITE.build(), LITE, SiamRpnLossConfig(), optim).eval()
    fc = SiamFcModule(FC_LITE.build(), FC_LITE, SiamFcLossConfig(), optim).eval()
    batch = _batch()
    with torch.no_grad():
        for module in (rpn, fc):
            encoded = module.encode(batch)
            assert "search" not in encoded and encoded["search_layer2"].dtype == torch.float16
            torch.manual_seed(0)
            direct = module(batch)
            torch.manual_seed(0)
            cached = module(encoded)
            for name, value in direct.items():
                torch.testing.assert_close(cached[name], value, rtol=2e-2, atol=2e-2)


def test_inputs_are_those_of_the_registered_networks() -> None:
    assert input_of(LITE) == InputSpec(255)
    assert input_of(SiamFcNetConfig("cir_resnext22")) == RAW_BGR
    assert input_of(UpChannelRpnConfig(channels=8)) == RAW_BGR
    assert input_of(DepthwiseRpnConfig("resnet18")) == RAW_BGR


def test_imagenet_weights_see_raw_images_as_they_know_them() -> None:
    torch.manual_seed(0)
    stem = torch.randn(4, 3, 3, 3)
    weights = {"conv1.weight": stem, "bn1.running_mean": torch.randn(4)}
    mean = weights["bn1.running_mean"].clone()
    move_normalization(weights, RAW_BGR)
    raw = 255 * torch.rand(1, 3, 8, 8)
    normalized = (raw / 255 - torch.tensor(IMAGENET.mean)[:, None, None]) / torch.tensor(
        IMAGENET.std
    )[:, None, None]
    before = torch.nn.functional.conv2d(normalized, stem) - mean[:, None, None]
    after = torch.nn.functional.conv2d(raw.flip(1), weights["conv1.weight"])
    after = after - weights["bn1.running_mean"][:, None, None]
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


def test_parts_are_unlocked_by_their_share_of_the_epochs() -> None:
    recipe = load_config(find_config("siamfc_res22"), SiamFcRunConfig)
    with torch.device("meta"):
        module = SiamFcModule(recipe.network.build(), recipe.network, recipe.losses, recipe.optim)

    def trained() -> set[str]:
        names = (name for name, p in module.network.named_parameters() if p.requires_grad)
        return {".".join(name.split(".")[1:3]) for name in names}

    counts = []
    for epoch in range(50):
        module.begin_epoch(epoch, 50)
        counts.append(len(trained()))
    assert [counts.index(k) + 1 for k in range(1, 8)] == [1, 5, 10, 15, 25, 30, 35]
    assert not any(name.startswith("stem") for name in trained())
    module.begin_epoch(0, 50)
    assert trained() == {"layer2.4"}
    module.train()
    batch_norms = {
        name for name, part in module.network.named_modules() if part.training and "bn" in name
    }
    assert batch_norms and all("layer2.4" in name for name in batch_norms)


def test_an_unknown_part_is_refused() -> None:
    optim = SiameseOptimConfig(imagenet=False, unlock=(Unlock("layer9"),))
    with pytest.raises(UsageError, match="no part 'layer9'; its parts are stem"):
        SiamFcModule(FC_LITE.build(), FC_LITE, SiamFcLossConfig(), optim)
    with pytest.raises(UsageError, match="leave unlock out"):
        SiameseOptimConfig(cached_samples=4, unlock=(Unlock("layer2"),))


def test_the_log_schedule_falls_by_one_factor_from_epoch_to_epoch() -> None:
    schedule = ScheduleConfig("log", floor=1e-3)
    factors = [rate_factor(schedule, (epoch + 0.5) / 50, 50) for epoch in range(50)]
    np.testing.assert_allclose(factors, np.logspace(0, -3, 50))


@pytest.mark.parametrize("family", [SIAMRPN, SIAMFC], ids=["siamrpn", "siamfc"])
def test_a_run_exports_its_network(family: Family, data: Path, tmp_path: Path) -> None:  # type: ignore[type-arg]
    config = _rpn(cached=4) if family is SIAMRPN else _fc()
    [row] = train_family(family, config, data, tmp_path / "run")
    assert np.isfinite(row["val/loss"]) and np.isfinite(row["val/score"])
    assert len(list((tmp_path / "run/samples").glob("*.png"))) == 1
    exported = load_file(tmp_path / "run/export.safetensors")
    network = config.network.build()
    network.load_state_dict(exported)


def test_unlocked_parts_are_trained_and_a_resumed_run_is_the_same(
    data: Path, tmp_path: Path
) -> None:
    unlock = (Unlock("layer3.0"), Unlock("layer2.0", 1.0))
    train_family(SIAMFC, _fc(2, unlock), data, tmp_path / "whole")
    first = _fc(2, unlock)
    train_family(
        SIAMFC, replace(first, engine=replace(first.engine, epochs=2)), data, tmp_path / "again"
    )
    whole, again = (
        torch.load(tmp_path / name / "last.pt", weights_only=True)["module"]
        for name in ("whole", "again")
    )
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    torch.manual_seed(first.engine.seed)
    begun = FC_LITE.build().state_dict()
    changed = {
        ".".join(name.split(".")[:3])
        for name, value in begun.items()
        if name.startswith("backbone") and not torch.equal(value, whole[f"network.{name}"])
    }
    assert changed == {"backbone.layer3.0", "backbone.layer2.0"}


def test_sources_have_gaps_of_their_own() -> None:
    with pytest.raises(ValueError, match="max_gap must be 1 or more"):
        SourceConfig("video", "x", max_gap=0)


def test_samples_are_those_of_their_number(data: Path) -> None:
    samples = draw_samples(SIAMRPN, _rpn(), data)
    first, again = default_collate([samples[3]]), default_collate([samples[3]])
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize("name", ["cir_densenet", "cir_nasnet"])
def test_our_cropped_backbones_keep_the_rules(name: str) -> None:
    """Cells of the published ones, no trace of the padding, and an end without ReLU."""
    torch.manual_seed(0)
    backbone = CroppedBackbone(name).eval()
    sizes = {127: 5, 135: 6, 255: 21, 263: 22, 271: 23, 287: 25}
    with torch.no_grad():
        for size, cells in sizes.items():
            assert backbone(torch.zeros(1, 3, size, size)).shape[2:] == (cells, cells)
        features = backbone(torch.full((1, 3, 135, 135), 0.5))
        assert (features < 0).any()
        torch.testing.assert_close(features, features[..., :1, :1].expand_as(features))


def test_sets_of_squares_have_their_targets_in_the_middle(tmp_path: Path) -> None:
    image = np.full((511, 511, 3), 90, np.uint8)
    box = [10.0, 20.0, 110.0, 60.0]
    side = ContextConfig().side(100, 40)
    (tmp_path / "v").mkdir()
    for t in (0, 5):
        cv2.imwrite(str(tmp_path / f"v/{t:06d}.02.x.jpg"), image)
    tracks = {"02": {"000000": box, "000005": [100.0, 40.0], "meta": [1]}, "03": {}}
    (tmp_path / "train.json").write_text(json.dumps({"v": tracks}))
    source = read_square_crops(tmp_path)
    assert len(source) == 1 and len(source.sequence(0)) == 2
    for t in (0, 1):
        found = source.frame(0, t).box
        scale = 127 / side
        assert (found.w, found.h) == pytest.approx((100 * scale, 40 * scale))
        assert found.x + found.w / 2 == 255 and found.y + found.h / 2 == 255
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(UsageError, match=r"2 \.json files"):
        read_square_crops(tmp_path)
