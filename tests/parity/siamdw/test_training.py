"""Losses, labels, augmentation and optimization of SiamFC+ and SiamRPN+ training."""

import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.registry import find_network
from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.nets.spec import official_name
from alpharefine.trackers.siamese.config import AnchorConfig
from alpharefine.trackers.siamese.proposals import anchor_boxes
from alpharefine.training.config import EngineConfig, find_config, load_config
from alpharefine.training.optimization import make_optimizer, take_step
from alpharefine.training.tasks.siamese.config import JitterConfig, SiameseOptimConfig
from alpharefine.training.tasks.siamese.crops import Jitter, draw_jitter, jitter_crop
from alpharefine.training.tasks.siamese.labels import (
    AnchorLabelConfig,
    anchor_ious,
    anchor_targets,
    center_labels,
)
from alpharefine.training.tasks.siamese.losses import (
    ElementLoss,
    background_loss,
    balanced_loss,
    detached_focal,
    focal,
    focal_fork,
    hinge,
    hinge_fork,
    logistic,
    offset_loss,
    squared_hinge,
)
from alpharefine.training.tasks.siamfc.config import SiamFcLossConfig, SiamFcRunConfig
from alpharefine.training.tasks.siamfc.module import SiamFcModule
from alpharefine.training.tasks.siamrpn.config import SiamRpnLossConfig
from alpharefine.training.tasks.siamrpn.module import SiamRpnModule
from tests.parity.fixtures import (
    TOOLS,
    Arrays,
    assert_close_relative,
    filler_seed,
    find_fixtures,
    fixture_cases,
    load_npz,
)
from tests.parity.siamdw.common import FAMILY, filled_network

FC_LOSSES: dict[str, ElementLoss] = {
    "fc_bce": logistic,
    "fc_hinge_fork": hinge_fork,
    "fc_focal_fork": focal_fork,
    "own_fc_hinge": hinge,
    "own_fc_sqhinge": squared_hinge,
    "own_fc_focal_g2": focal,
}
RPN_LOSSES: dict[str, ElementLoss] = {
    "rpn_thinner_bce_cls": logistic,
    "rpn_thinner_hinge_fork_cls": hinge_fork,
    "rpn_thinner_focal_fork_cls": focal_fork,
}
OWN_RPN_LOSSES = {
    "loss_s0": (1.6072394, 0.0982714, 4.7351608, 1.4775097, 4.6932430),
    "loss_s1": (1.5578008, 0.0942036, 4.6803074, 1.4144388, 4.0401449),
}
"""Thinner hinge, its gradient's norm, thinner squared hinge, thicker hinge and squared hinge."""


def _leaf(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.asarray(values)).requires_grad_()


def _check_loss(data: Arrays, name: str, loss: Tensor, given: Tensor) -> None:
    loss.backward()
    assert given.grad is not None
    assert loss.item() == pytest.approx(float(data[name]), abs=1e-5, rel=1e-5)
    assert_close_relative(given.grad, data[f"{name}_grad"], 1e-5, name)


def _thinner(loss: ElementLoss, scores: Tensor, data: Arrays) -> Tensor:
    labels = torch.from_numpy(data["rpn_label_cls"])
    sums = torch.from_numpy(data["rpn_sum_label"])
    return balanced_loss(loss, scores, labels) + 0.1 * background_loss(loss, scores.sum(1), sums)


@pytest.mark.parametrize("name", FC_LOSSES)
@pytest.mark.parametrize("path", fixture_cases("loss_s*", FAMILY))
def test_losses_of_score_maps(path: Path, name: str) -> None:
    data = load_npz(path)
    scores, labels = _leaf(data["fc_pred"]), torch.from_numpy(data["fc_label"])
    _check_loss(data, name, balanced_loss(FC_LOSSES[name], scores[:, 0], labels), scores)


@pytest.mark.parametrize("name", RPN_LOSSES)
@pytest.mark.parametrize("path", fixture_cases("loss_s*", FAMILY))
def test_losses_of_anchors_with_one_score(path: Path, name: str) -> None:
    data = load_npz(path)
    scores = _leaf(data["rpn_cls5"])
    _check_loss(data, name, _thinner(RPN_LOSSES[name], scores, data), scores)


@pytest.mark.parametrize("path", fixture_cases("loss_s*", FAMILY))
def test_losses_of_anchors_with_two_scores_and_of_offsets(path: Path) -> None:
    data = load_npz(path)
    scores, labels = _leaf(data["rpn_cls10"]), torch.from_numpy(data["rpn_label_cls"])
    maps = RpnMaps(scores, torch.zeros(2, 20, 17, 17))
    loss = balanced_loss(logistic, maps.logits, labels)
    _check_loss(data, "rpn_thicker_ce_cls", loss, scores)
    offsets = _leaf(data["rpn_reg"])
    wanted = torch.from_numpy(data["rpn_label_reg"])
    maps = RpnMaps(torch.zeros(2, 5, 17, 17), offsets)
    _check_loss(data, "rpn_l1", offset_loss(maps.offsets, wanted, labels), offsets)
    weights = (labels == 1) / ((labels == 1).sum((1, 2, 3), keepdim=True) + 1e-6)
    np.testing.assert_allclose(weights, data["rpn_reg_weight"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("path", fixture_cases("loss_s*", FAMILY))
def test_focal_losses_of_two_scores(path: Path) -> None:
    data = load_npz(path)
    targets = torch.from_numpy(data["sm_focal_t"]).float()
    for name, alpha in (("sm_focal_g2", (1.0, 1.0)), ("sm_focal_g2_a025", (0.25, 0.75))):
        scores = _leaf(data["sm_focal_x"])
        loss = detached_focal(scores[:, 1] - scores[:, 0], targets, 2.0, alpha).mean()
        _check_loss(data, name, loss, scores)


@pytest.mark.parametrize("path", fixture_cases("loss_s[01]", FAMILY))
def test_our_hinge_losses_of_anchors(path: Path) -> None:
    data = load_npz(path)
    if path.stem not in OWN_RPN_LOSSES:
        pytest.skip("the specification has no numbers for this one")
    scores = _leaf(data["rpn_cls5"])
    loss = _thinner(hinge, scores, data)
    loss.backward()
    assert scores.grad is not None
    two, labels = torch.from_numpy(data["rpn_cls10"]), torch.from_numpy(data["rpn_label_cls"])
    logits = two[:, 5:] - two[:, :5]
    found = [
        loss,
        scores.grad.norm(),
        _thinner(squared_hinge, scores, data),
        balanced_loss(hinge, logits, labels),
        balanced_loss(squared_hinge, logits, labels),
    ]
    expected = OWN_RPN_LOSSES[path.stem]
    assert [v.item() for v in found] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("path", fixture_cases("loss_s*", FAMILY))
def test_a_single_positive_counts_and_a_missing_class_adds_nothing(path: Path) -> None:
    """The published program leaves the first out, and answers NaN to the second."""
    data = load_npz(path)
    if "edge_one_pos" not in data:
        pytest.skip("no such edge here")
    scores = torch.from_numpy(data["rpn_cls5"][:1])
    labels = torch.from_numpy(data["edge_one_pos_label"])
    sums = torch.from_numpy(data["rpn_sum_label"][:1])
    sum_term = 0.1 * background_loss(logistic, scores.sum(1), sums)
    (positive,) = logistic(scores[labels == 1], torch.ones(1))
    ours = balanced_loss(logistic, scores, labels) + sum_term
    assert float(ours - 0.5 * positive) == pytest.approx(float(data["edge_one_pos"]), rel=1e-5)
    assert np.isnan(data["edge_no_pos"])
    none = balanced_loss(logistic, scores, torch.where(labels == 1, -1, labels)) + sum_term
    assert float(none) == pytest.approx(float(data["edge_one_pos"]), rel=1e-5)


@pytest.mark.parametrize("path", fixture_cases("label", FAMILY))
def test_labels_of_score_maps(path: Path) -> None:
    data = load_npz(path)
    labels = center_labels(-torch.from_numpy(data["fc_shifts"]), 17, rounding="floor")
    np.testing.assert_array_equal(labels, data["fc_labels"])


def _training_anchors() -> NDArray[np.float64]:
    anchors = anchor_boxes(AnchorConfig(), 17).astype(np.float64)
    anchors[:2] += 255 // 2
    return anchors


@pytest.mark.parametrize("path", fixture_cases("label", FAMILY))
def test_labels_of_anchors(path: Path) -> None:
    data, anchors, config = load_npz(path), _training_anchors(), AnchorLabelConfig()
    np.testing.assert_array_equal(anchors[:, :, ::8, ::8], data["train_anchors_center"])
    sizes = anchors[2:, :, 0, 0].T
    np.testing.assert_array_equal(np.hstack([-sizes, sizes]) / 2, data["train_anchors_naive"])
    for seed, box in enumerate(data["rpn_boxes"]):
        found = anchor_targets(box, anchors, config, np.random.RandomState(seed))
        np.testing.assert_array_equal(found.labels, data["rpn_cls"][seed])
        offsets = found.offsets[..., ::4, ::4]
        np.testing.assert_allclose(offsets, data["rpn_delta_sub"][seed], rtol=0, atol=1e-5)
        overlap = anchor_ious(box, anchors)
        np.testing.assert_array_equal(overlap[..., ::4, ::4], data["iou_sub"][seed])
        counts = [(found.labels == 1).sum(), (found.labels == 0).sum()]
        counts += [(overlap > 0.6).sum(), (overlap < 0.3).sum()]
        assert counts == data["rpn_counts"][seed].tolist()
        total = counts[0] / (counts[0] + 1e-6)
        assert total == pytest.approx(float(data["rpn_weight_sum"][seed]), abs=1e-6)


def _parameters(jitter: Jitter) -> list[tuple[float, float]]:
    return [jitter.shift, jitter.scale]


@pytest.mark.parametrize("size", [511, 271])
@pytest.mark.parametrize("path", fixture_cases("label", FAMILY))
def test_augmentation(path: Path, size: int) -> None:
    data = {k.partition("_")[2]: v for k, v in load_npz(path).items() if k.startswith(f"aug{size}")}
    base = data["image"]
    if len(base) != size:
        base = np.asarray(cv2.resize(base, (size, size), interpolation=cv2.INTER_NEAREST), np.uint8)
    x1, y1, x2, y2 = data["tobbox"]
    for seed in range(len(data["param"])):
        draw = random.Random(seed).random
        sub, means, parameters = [], [], []
        for k, out in enumerate((127, 255)):
            jitter = draw_jitter(JitterConfig(), draw)
            crop = jitter_crop(base, (x2 - x1, y2 - y1), out, jitter)
            parameters += _parameters(jitter)
            np.testing.assert_allclose(crop.box, data["bbox"][seed, k], rtol=0, atol=1e-9)
            sub.append(crop.image[::16, ::16].flatten())
            means.append(crop.image.mean())
        np.testing.assert_allclose(parameters, data["param"][seed], rtol=0, atol=1e-9)
        difference = np.concatenate(sub).astype(int) - data["sub"][seed]
        assert np.abs(difference).max() <= 1
        np.testing.assert_allclose(means, data["mean"][seed], rtol=0, atol=0.05)
        requested = -torch.tensor([parameters[2]])
        label = center_labels(requested, 17, rounding="floor")[0]
        np.testing.assert_array_equal(label, data["label"][seed])


class _Fixture:
    """The batch of a training fixture, and its names."""

    def __init__(self, path: Path, architecture: str) -> None:
        self.data = load_npz(path)
        found = find_fixtures("crops", FAMILY) or [TOOLS / FAMILY / "fixtures" / "crops.npz"]
        crops = load_npz(found[0])
        pairs = {"template": ("z127", "z127_synth"), "search": ("x255", "x255_synth")}
        self.images = {
            # The modules take RGB.
            side: torch.from_numpy(np.stack([crops[key][..., ::-1] for key in keys]))
            for side, keys in pairs.items()
        }
        self.network = deepcopy(filled_network(architecture, filler_seed(path)))
        self._renames = find_network(
            "siamfc_res22" if architecture == "SiamFCRes22" else "siamrpn_res22"
        ).config.renames

    def named(self, values: dict[str, Any], names: NDArray[Any]) -> list[Any]:
        """Values by our names, in the order of the fixture's names."""
        official = {official_name(name, self._renames): value for name, value in values.items()}
        return [official[str(name)] for name in names]


def _norms(network: nn.Module, missing: float) -> dict[str, float]:
    """In float32, as they were recorded: its sums are off by up to 2e-5."""
    return {
        name: missing if p.grad is None else float(p.grad.norm())
        for name, p in network.named_parameters()
    }


def _official_optim() -> SiameseOptimConfig:
    recipe = load_config(find_config("siamfc_res22"), SiamFcRunConfig)
    return SiameseOptimConfig(
        learning_rate=1e-3,
        backbone_learning_rate=1e-3,
        unlock=recipe.optim.unlock,
        unlocking="official",
        imagenet=False,
    )


def _fc_loss(module: SiamFcModule, fixture: _Fixture) -> Tensor:
    """Of the fixture's labels, which no shift gives."""
    scores = module.answer(fixture.images)[:, 0]
    return balanced_loss(logistic, scores, torch.from_numpy(fixture.data["label"]).float())


def _fc_module(fixture: _Fixture) -> SiamFcModule:
    config = find_network("siamfc_res22").config
    return SiamFcModule(fixture.network, config, SiamFcLossConfig(), _official_optim())


@pytest.mark.parametrize("path", fixture_cases("train_fc_*", FAMILY))
def test_siamfc_gradients_of_the_first_epoch(path: Path) -> None:
    fixture = _Fixture(path, "SiamFCRes22")
    data, module = fixture.data, _fc_module(fixture)
    module.begin_epoch(0, 50)
    loss = _fc_loss(module.train(), fixture)
    loss.backward()
    assert loss.item() == pytest.approx(float(data["loss0"]), abs=1e-5, rel=1e-5)
    norms = fixture.named(_norms(module.network, 0), data["param_names"])
    # A unit at the edge of a ReLU falls on its other side here, in float64 too: 2.2e-5 for 1e-5.
    assert_close_relative(np.array(norms), data["grad_norm"], 5e-5, "gradient norms")
    weights = module.network.get_parameter("backbone.layer2.4.residual.conv3.weight")
    assert weights.grad is not None
    expected = data["grad_layer2_4_conv3_sub"]
    assert_close_relative(weights.grad[::16, ::8, 0, 0], expected, 1e-4, "gradient")


def _assert_rows(actual: list[float], expected: NDArray[Any], share: float, name: str) -> None:
    largest = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=share * largest, err_msg=name)


@pytest.mark.parametrize("path", fixture_cases("train_fc_*", FAMILY))
def test_the_published_loop_of_siamfc(path: Path) -> None:
    """Newly unlocked parts have an optimizer for one epoch only, and their gradients add up."""
    fixture = _Fixture(path, "SiamFCRes22")
    data, module = fixture.data, _fc_module(fixture)
    engine = EngineConfig(optimizer="sgd", momentum=0.9, weight_decay=1e-4, max_grad_norm=10.0)
    kept = make_optimizer(module.parameter_groups(), engine)
    for row, epoch in enumerate(data["epochs"]):
        change = module.begin_epoch(int(epoch) - 1, 50)
        own = None if change is None else change.own_groups
        optimizer = kept if own is None else make_optimizer(own, engine)
        module.train()
        before = {k: v.detach().clone() for k, v in module.network.named_parameters()}
        for k, expected in enumerate(data["losses"][row]):
            loss = _fc_loss(module, fixture)
            assert loss.item() == pytest.approx(float(expected), rel=1e-5), (epoch, k)
            take_step(module, optimizer, loss, engine)
        changes = {
            k: float((v.detach() - before[k]).double().norm())
            for k, v in module.network.named_parameters()
        }
        names = data["param_names"]
        _assert_rows(fixture.named(changes, names), data["param_change"][row], 5e-4, "change")
        norms = fixture.named(_norms(module.network, -1), names)
        _assert_rows(norms, data["grad_norm_after"][row], 5e-3, "gradient norms")
        np.testing.assert_array_equal(np.array(norms) < 0, data["grad_norm_after"][row] < 0)
        running = {k: float(v.double().norm()) for k, v in module.network.named_buffers()}
        found = fixture.named(running, data["running_names"])
        _assert_rows(found, data["running_norm"][row], 1e-5, "running statistics")


@pytest.mark.parametrize("path", fixture_cases("train_rpn_*", FAMILY))
def test_siamrpn_gradients_of_the_first_epoch(path: Path) -> None:
    head = "thinner" if "thinner" in path.stem else "thicker"
    fixture = _Fixture(path, f"SiamRPNRes22_{head}")
    data = fixture.data
    config = find_network("siamrpn_res22" if head == "thinner" else "siamrpn_res22_thicker").config
    module = SiamRpnModule(fixture.network, config, SiamRpnLossConfig(), _official_optim())
    module.begin_epoch(0, 50)
    maps = module.train().answer(fixture.images)
    labels = torch.from_numpy(data["label_cls"])
    scores = balanced_loss(logistic, maps.logits, labels)
    if head == "thinner":
        (same_seed,) = find_fixtures(f"train_fc_w{filler_seed(path)}", FAMILY) or [None]
        if same_seed is None:
            pytest.skip("its sum label is in a fixture that is not here")
        sums = torch.from_numpy(load_npz(same_seed)["label"])
        scores = scores + 0.1 * background_loss(logistic, maps.logits.sum(1), sums)
    boxes = offset_loss(maps.offsets, torch.from_numpy(data["label_reg"]), labels)
    (scores + boxes).backward()
    assert scores.item() == pytest.approx(float(data["cls_loss"]), rel=1e-5)
    assert boxes.item() == pytest.approx(float(data["reg_loss"]), rel=1e-5)
    norms = np.array(fixture.named(_norms(module.network, 0), data["param_names"]))
    assert_close_relative(norms, data["grad_norm"], 1e-4, "gradient norms")
    adjust = module.network.get_parameter("adjust.weight").grad
    search = module.network.get_parameter("search_classification.weight").grad
    assert adjust is not None and search is not None
    assert_close_relative(adjust, data["grad_adjust"], 2e-4, "adjust")
    assert_close_relative(search[::16, ::16], data["grad_search_cls_sub"], 2e-4, "search")
