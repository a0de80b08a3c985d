from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from alpharefine.ops.roi_sampling import adaptive_roi, sample_region
from alpharefine.trackers.rtmdnet.classifier import Classifier, Trainer, first_branch
from alpharefine.trackers.rtmdnet.config import RtMdNetConfig, TrainingConfig
from alpharefine.trackers.rtmdnet.first_frame import first_frame_samples
from alpharefine.trackers.rtmdnet.regression import fit_regression
from alpharefine.trackers.rtmdnet.samples import SampleDraws, box_overlap, draw_boxes
from alpharefine.trackers.rtmdnet.scene import scene_box, scene_of

CONFIG = RtMdNetConfig()
TARGET = np.array([60.0, 50.0, 40.0, 30.0])
SIZE = (240, 180)


def test_samples_are_in_their_ranges() -> None:
    draws = SampleDraws(0)
    for config in (CONFIG.positive, CONFIG.negative, CONFIG.regression):
        boxes = draw_boxes(TARGET, config, SIZE, draws)
        overlap = box_overlap(boxes, TARGET.astype(np.float32))
        assert config.iou is not None
        assert len(boxes) and config.iou[0] <= overlap.min() <= overlap.max() <= config.iou[1]
    inside = draw_boxes(TARGET, CONFIG.search, SIZE, draws)
    assert len(inside) == 256 and inside[:, :2].min() >= 0
    assert (inside[:, :2] + inside[:, 2:] <= np.array(SIZE)).all()


def test_there_may_be_no_sample_like_a_target() -> None:
    beyond = np.array([400.0, 300.0, 30.0, 30.0])
    assert len(draw_boxes(beyond, CONFIG.positive, SIZE, SampleDraws(0))) == 0
    first = first_frame_samples(beyond, CONFIG, SIZE, SampleDraws(0))
    assert first.counts[0] == 7, "the target itself, in each version of the scene"


def test_a_scene_shows_targets_at_the_usual_size() -> None:
    region = scene_box(
        draw_boxes(TARGET, CONFIG.negative, SIZE, SampleDraws(0)), SIZE, CONFIG.scene
    )
    scene = scene_of(region, TARGET, CONFIG.scene)
    roi = scene.regions(TARGET[None].astype(np.float32), CONFIG.scene, 0)[0].numpy()
    np.testing.assert_allclose(roi[2:] - roi[:2], [107 * 1.2] * 2, rtol=1e-4)
    np.testing.assert_allclose(scene.size, np.trunc(region[2:] * 107 / TARGET[2:]))


def test_scenes_of_tiny_targets_are_limited() -> None:
    tiny = np.array([60.0, 50.0, 2.0, 40.0])
    region = np.array([0.0, 0.0, 200.0, 150.0])
    config = replace(CONFIG.scene, largest=500)
    scene = scene_of(region, tiny, config)
    assert scene.size == (500, 401)
    roi = scene.regions(tiny[None].astype(np.float32), config, 0)[0].numpy()
    assert roi[2] - roi[0] == pytest.approx(2 * 1.2 * 500 / 200, rel=1e-4)


def test_the_first_frames_rows_are_all_filled_once() -> None:
    first = first_frame_samples(TARGET, CONFIG, SIZE, SampleDraws(0))
    for kind, count in enumerate(first.counts):
        rows = np.concatenate([batch.samples[kind].rows for batch in first.batches])
        np.testing.assert_array_equal(np.sort(rows), np.arange(count))
    ordered = np.zeros((first.counts[2], 4), np.float32)
    for batch in first.batches:
        ordered[batch.samples[2].rows] = batch.samples[2].boxes
    np.testing.assert_array_equal(ordered, first.regression_boxes)


def test_regions_of_even_maps_are_even_and_of_nothing_nothing() -> None:
    features = torch.full((1, 2, 20, 30), 3.0)
    rois = torch.tensor([[0, 8, 8, 100, 90.0], [0, 400, 300, 500, 400.0]])
    pooled = adaptive_roi(features, rois, 1 / 8, 3)
    assert pooled.shape == (2, 18)
    torch.testing.assert_close(pooled[0], torch.full((18,), 3.0))
    assert not pooled[1].any()


def test_a_region_of_an_image_is_stretched() -> None:
    image = torch.arange(30.0).repeat(3, 20, 1)
    found = sample_region(image, torch.tensor([4.0, 2.0, 13.0, 11.0]), (5, 11))
    torch.testing.assert_close(found, torch.arange(4.0, 15.0).repeat(3, 5, 1))
    assert not sample_region(image, torch.tensor([40.0, 2.0, 50.0, 11.0]), (5, 5)).any()


def small_classifier(seed: int = 0) -> Classifier:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((6, 8), (6,), (6, 6), (6,))
    hidden = [torch.rand(*shape, generator=generator) - 0.4 for shape in shapes]
    return Classifier((*hidden, *first_branch(6, 0)))


def test_a_step_is_that_of_stochastic_gradient_descent() -> None:
    config = TrainingConfig(2, 0.1, positives=3, negatives=4, candidates=4, largest_gradient=0.05)
    trainer = Trainer(config, SampleDraws(0))
    masks = [torch.rand(7, 6) for _ in range(2)]
    trainer._masks = (
        lambda rows, units, device: tuple(  # type: ignore[method-assign]
            mask[:3] if rows == 3 else mask[3:] for mask in masks
        )
    )
    positive, negative = torch.rand(3, 8), torch.rand(4, 8)
    found, before = small_classifier(), small_classifier()
    own = [torch.nn.Parameter(p.clone()) for p in before.parameters]
    groups = [{"params": own[:4]}, {"params": own[4:], "lr": 1.0}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=5e-4)
    for _ in range(2):
        found = trainer._step(found, positive, negative)
        w4, b4, w5, b5, w6, b6 = own
        first = F.linear(torch.cat([positive, negative]), w4, b4).relu() * masks[0]
        scores = F.linear(F.linear(first, w5, b5).relu() * masks[1], w6, b6)
        loss = F.cross_entropy(scores, torch.tensor([1] * 3 + [0] * 4))
        assert trainer.losses[-1] == pytest.approx(loss.item(), rel=1e-5)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own, 0.05)
        optimizer.step()
    for ours, theirs in zip(found.parameters, own, strict=True):
        torch.testing.assert_close(ours, theirs.detach())


def test_training_works_without_negatives_and_separates_with_them() -> None:
    config = TrainingConfig(40, 0.05, positives=8, negatives=8, candidates=16)
    positive = torch.rand(10, 8) + 0.5
    alone = Trainer(config, SampleDraws(0)).train(small_classifier(), positive, torch.zeros(0, 8))
    assert alone.is_finite
    negative = torch.rand(20, 8) - 1
    trained = Trainer(config, SampleDraws(0)).train(small_classifier(), positive, negative)
    assert trained.scores(positive)[:, 1].mean() > trained.scores(negative)[:, 1].mean()


def test_box_regression_finds_a_linear_move() -> None:
    draws = SampleDraws(0)
    boxes = draw_boxes(TARGET, CONFIG.regression, SIZE, draws).astype(np.float64)
    shift = (TARGET[:2] + TARGET[2:] / 2 - boxes[:, :2] - boxes[:, 2:] / 2) / boxes[:, 2:]
    features = torch.from_numpy(np.concatenate([shift, np.log(TARGET[2:] / boxes[:, 2:])], 1))
    found = fit_regression(features, boxes, TARGET, CONFIG.regression, ridge=1e-6)
    assert found is not None
    moved = found.move(features, boxes, SIZE, CONFIG.regression)
    np.testing.assert_allclose(moved, np.tile(TARGET, (len(boxes), 1)), atol=1e-3)
    wild = replace(found, offsets=torch.full((4,), 30.0).double())
    np.testing.assert_allclose(wild.move(features, boxes, SIZE, CONFIG.regression), boxes)
    assert fit_regression(features, boxes + 500, TARGET, CONFIG.regression, 1.0) is None
