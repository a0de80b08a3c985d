from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.iou.box_regressor import IouFeatures
from alpharefine.nets.iou.box_values import BoxHead, BoxValues
from alpharefine.nets.registry import build_network
from alpharefine.ops.target_filter import apply_filter
from alpharefine.trackers.online.box_refinement import ascend
from alpharefine.trackers.online.config import BoxRefinementConfig
from tests.parity.fixtures import (
    Arrays,
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

IOU_TOLERANCE = 1e-5
BOX_TOLERANCE = 1e-2
UNUSED = ("feature_extractor.layer4.", "feature_extractor.fc.")


@cache
def filled_network(seed: int) -> DimpNet:
    network = build_network("super_dimp")
    fill_network(network, seed)
    return network.requires_grad_(False)


@cache
def case(path: Path) -> tuple[Arrays, DimpNet, Tensor]:
    data = load_npz(path)
    crops = torch.cat([network_input(crop) for crop in data["crops_u8"]])
    return data, filled_network(filler_seed(path)), crops


network_cases = pytest.mark.parametrize("path", fixture_cases("net_dimp_w*"))


@needs_shared
def test_manifest() -> None:
    check_manifest(build_network("super_dimp"), "super_dimp", UNUSED)


@network_cases
def test_features(path: Path) -> None:
    data, network, crops = case(path)
    stages = network.backbone(crops, {"layer2", "layer3"})
    features = network(crops)
    assert_close_relative(stages["layer2"][:, ::32, ::2, ::2], data["layer2_sub"], name="layer2")
    assert_close_relative(stages["layer3"][:, ::32], data["layer3_sub"], name="layer3")
    assert_close_relative(features.classification[:, ::16], data["clf_sub"], name="clf")
    for name, value in (*stages.items(), ("clf", features.classification)):
        assert_close_relative(channel_stats(value), data[f"{name}_stats"], name=f"{name}_stats")


@network_cases
def test_filter(path: Path) -> None:
    data, network, crops = case(path)
    features = network(crops).classification[None]
    train, boxes = features[:, :2], torch.from_numpy(data["train_boxes"])[None]
    classifier = network.classifier
    optimizer = classifier.filter_optimizer
    initial = classifier.filter_initializer(train, boxes)
    objective = optimizer.objective(boxes, (23, 23))
    iterates = [initial]
    final = optimizer(initial, train, objective, 10, on_iterate=iterates.append)
    losses = [float(optimizer.loss(f, train, objective).sum()) for f in iterates]
    assert_close_relative(initial, data["filter_init"], name="filter_init")
    assert_close_relative(torch.cat(iterates)[:, ::4], data["filter_iters"], name="filter_iters")
    assert_close_relative(final, data["filter_final"], name="filter_final")
    assert_close_relative(losses, data["losses"], name="losses")
    scores = apply_filter(features, final)[0, :, None]
    assert_close_relative(scores[2:], data["scores_test"], name="scores_test")
    assert_close_relative(scores[:2], data["scores_train"], name="scores_train")


@network_cases
def test_filter_objective(path: Path) -> None:
    data, network, _ = case(path)
    optimizer = network.classifier.filter_optimizer
    boxes = torch.from_numpy(data["train_boxes"])[None]
    center = (boxes[0, :, :2] + boxes[0, :, 2:] / 2).flip(1) / 16
    assert_close_relative(center, data["dist_center"], name="dist_center")
    distance = optimizer.center_distance(boxes, (23, 23))[0]
    bins = optimizer.radial_function(torch.eye(100), distance).transpose(0, 1)
    assert_close_relative(bins[:, ::10], data["dist_map"], name="dist_map")
    objective = optimizer.objective(boxes, (23, 23))
    assert_close_relative(objective.label[0, :, None], data["label_map"], name="label_map")
    assert_close_relative(objective.target_mask[0, :, None], data["target_mask"], name="mask")
    spatial = objective.weight[0, :, None] * 2**0.5
    assert_close_relative(spatial, data["spatial_weight"], name="spatial_weight")


@network_cases
def test_box_regressor(path: Path) -> None:
    data, network, crops = case(path)
    regressor = network.box_regressor
    backbone = network(crops).iou
    reference = IouFeatures(backbone.fine[:2], backbone.coarse[:2])
    modulation = regressor.modulation(reference, torch.from_numpy(data["train_boxes"]))
    assert_close_relative(modulation.fine, data["iou_mod3"], name="iou_mod3")
    assert_close_relative(modulation.coarse, data["iou_mod4"], name="iou_mod4")
    features = regressor.features(IouFeatures(backbone.fine[2:], backbone.coarse[2:]))
    assert_close_relative(features.fine[:, ::16, ::2, ::2], data["iou_feat3_sub"], name="feat3")
    assert_close_relative(features.coarse[:, ::16], data["iou_feat4_sub"], name="feat4")
    assert_close_relative(channel_stats(features.fine), data["iou_feat3_stats"], name="stats3")
    assert_close_relative(channel_stats(features.coarse), data["iou_feat4_stats"], name="stats4")

    modulated = regressor.modulate(
        features, IouFeatures(modulation.fine[:1], modulation.coarse[:1])
    )
    boxes = torch.tensor(data["iou_boxes"], requires_grad=True)
    prediction = regressor.predict(modulated, boxes)
    prediction.sum().backward()
    assert boxes.grad is not None
    np.testing.assert_allclose(
        prediction.detach(), data["iou_pred"], rtol=0, atol=IOU_TOLERANCE, err_msg="iou_pred"
    )
    assert_close_relative(boxes.grad, data["iou_grad"], name="iou_grad")
    values = BoxValues(
        BoxHead(regressor),
        IouFeatures(backbone.fine[2:], backbone.coarse[2:]),
        IouFeatures(modulation.fine[:1], modulation.coarse[:1]),
    )
    for suffix, step in (("", 2.5e-3), ("_x40", 0.1)):
        refined = ascend(values, boxes[0].detach(), BoxRefinementConfig(step_length=step))
        np.testing.assert_allclose(
            refined.boxes, data[f"iou_opt_boxes{suffix}"], rtol=0, atol=BOX_TOLERANCE
        )
        np.testing.assert_allclose(
            refined.values, data[f"iou_opt_iou{suffix}"], rtol=0, atol=IOU_TOLERANCE
        )


@pytest.mark.parametrize("path", fixture_cases("net_dimp_opt_w*"))
def test_filter_optimizer_on_synthetic_samples(path: Path) -> None:
    data = load_npz(path)
    optimizer = filled_network(filler_seed(path)).classifier.filter_optimizer
    problems = sorted({key.rsplit("_it", 1)[0] for key in data})
    assert problems
    for problem in problems:
        count, seed = (int(part[1:]) for part in problem.split("_"))
        rng = np.random.default_rng(seed)
        features = (2 * rng.random((count, 512, 22, 22)) - 1) * np.sqrt(3) * np.sqrt(1 / 8192)
        corner = 80 + 120 * rng.random((count, 2))
        boxes = np.concatenate([corner, 40 + 60 * rng.random((count, 2))], 1)
        start = 0.02 * (2 * rng.random((1, 512, 4, 4)) - 1)
        weights = rng.random(count)
        weights = weights / weights.sum()
        x, b, f, w = (
            torch.from_numpy(a.astype(np.float32)) for a in (features, boxes, start, weights)
        )
        objective = optimizer.objective(b[None], (23, 23), None if count == 15 else w[None])
        runs = {key.rsplit("_", 1)[0] for key in data if key.startswith(f"{problem}_it")}
        for run in sorted(runs):
            iterations = int(run.rsplit("_it", 1)[1])
            iterates = [f]
            final = optimizer(f, x[None], objective, iterations, on_iterate=iterates.append)
            losses = [float(optimizer.loss(i, x[None], objective).sum()) for i in iterates]
            assert_close_relative(final, data[f"{run}_filter"], name=f"{run}_filter")
            assert_close_relative(losses, data[f"{run}_losses"], name=f"{run}_losses")
            scores = apply_filter(x[None, :1], final).reshape(data[f"{run}_scores0"].shape)
            assert_close_relative(scores, data[f"{run}_scores0"], name=f"{run}_scores0")
