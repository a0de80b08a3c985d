"""Training crops: geometry of the trackers' own crops, jitter, targets in crop pixels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpharefine.data.source import TrainFrame
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.geometry.refine_crop import crop_window, cut_crop, reference_box, to_crop
from alpharefine.training.crops import (
    PLAIN,
    AppearanceConfig,
    DimpCropConfig,
    RefineCropConfig,
    dimp_sample,
    jittered_box,
    refine_sample,
)
from alpharefine.training.sensor import SensorConfig, record
from alpharefine.types import Box

EXACT = RefineCropConfig(size=128, scale_jitter=0.0, center_jitter=0.0)
CALM = DimpCropConfig(
    size=120,
    train_center_jitter=0.0,
    test_center_jitter=0.0,
    train_scale_jitter=0.0,
    test_scale_jitter=0.0,
)


def frame_with(box: Box, height: int = 200, width: int = 260) -> TrainFrame:
    """A white rectangle on gray."""
    image = np.full((height, width, 3), 60, np.uint8)
    mask = np.zeros((height, width), np.uint8)
    x, y, w, h = (int(v) for v in box)
    mask[y : y + h, x : x + w] = 1
    image[mask > 0] = 255
    return TrainFrame(image, box, mask)


boxes = st.builds(
    lambda x, y, w, h: Box(float(x), float(y), float(min(w, 260 - x)), float(min(h, 200 - y))),
    st.integers(0, 220),
    st.integers(0, 160),
    st.integers(15, 200),
    st.integers(15, 180),
)


@settings(max_examples=60, deadline=None)
@given(box=boxes, seed=st.integers(0, 10**6))
def test_corners_mask_and_pixels_agree(box: Box, seed: int) -> None:
    frame = frame_with(box)
    rng = np.random.default_rng(seed)
    sample = refine_sample([frame, frame], RefineCropConfig(size=128), PLAIN, rng)
    found = mask_to_box(np.ascontiguousarray(sample["mask"][0]))
    assert found is not None
    edges = np.array([found.x, found.y, found.x + found.w, found.y + found.h])
    one_pixel = max(128 / math.ceil(2 * box.w * 0.6), 128 / math.ceil(2 * box.h * 0.6), 1)
    assert np.abs(edges - sample["corners"]).max() <= one_pixel
    bright = sample["search"][..., 0] > 157
    assert np.count_nonzero(bright != (sample["mask"][0] > 0)) <= 0.02 * 128 * 128


def test_reference_is_the_crop_of_inference() -> None:
    frame = frame_with(Box(30.0, 20.0, 50.0, 70.0))
    sample = refine_sample([frame, frame], EXACT, PLAIN, np.random.default_rng(0))
    window = crop_window(frame.box, 128)
    assert np.array_equal(sample["reference"], cut_crop(frame.image, window))
    assert sample["reference_box"] == pytest.approx(reference_box(window))
    assert np.array_equal(sample["search"], sample["reference"])
    assert sample["corners"] == pytest.approx(to_crop(frame.box, window))
    assert sample["corners"] == pytest.approx([32, 32, 96, 96])


def test_without_mask() -> None:
    frame = frame_with(Box(30.0, 20.0, 50.0, 70.0))
    plain = TrainFrame(frame.image, frame.box, None)
    sample = refine_sample([plain, plain], EXACT, PLAIN, np.random.default_rng(0))
    assert sample["has_mask"] == 0 and not sample["mask"].any()
    assert sample["mask"].shape == (1, 128, 128)


def test_outside_stays_black() -> None:
    frame = frame_with(Box(0.0, 0.0, 60.0, 40.0))
    loud = AppearanceConfig(colors=1.0, sensor=SensorConfig(noise=1.0, jpeg=1.0))
    for seed in range(10):
        sample = refine_sample([frame, frame], EXACT, loud, np.random.default_rng(seed))
        for name in ("reference", "search"):
            crop = sample[name]
            assert not crop[:, :30].any() and not crop[:30].any()
            assert crop[40:, 40:].any()


def test_jitter_is_the_papers() -> None:
    """[h, w] = 2 [h_gt, w_gt] exp(0.25 N), center shifted by (U - 0.5) 0.25 sqrt(h w)."""
    rng, box = np.random.default_rng(0), Box(10.0, 20.0, 40.0, 90.0)
    drawn = [jittered_box(box, 0.25, 0.5, rng) for _ in range(4000)]
    logs = np.log([[b.w / 40, b.h / 90] for b in drawn])
    assert np.abs(logs.mean(axis=0)).max() < 0.02
    assert np.abs(logs.std(axis=0) - 0.25 * 0.96).max() < 0.02
    assert abs(np.corrcoef(logs.T)[0, 1]) < 0.05
    shifts = np.array(
        [
            (
                (b.x + b.w / 2 - 30) / math.sqrt(4 * b.w * b.h),
                (b.y + b.h / 2 - 65) / math.sqrt(4 * b.w * b.h),
            )
            for b in drawn
        ]
    )
    assert np.abs(shifts).max() <= 0.125 and np.abs(shifts).max() > 0.12
    assert np.abs(shifts.std(axis=0) - 0.25 / math.sqrt(12)).max() < 0.003


@settings(max_examples=40, deadline=None)
@given(box=boxes, seed=st.integers(0, 10**6), train=st.integers(0, 2))
def test_dimp_box_lies_on_the_target(box: Box, seed: int, train: int) -> None:
    frame = frame_with(box)
    config = DimpCropConfig(size=240)
    sample = dimp_sample([frame, frame], train, config, PLAIN, np.random.default_rng(seed))
    assert sample["images"].shape == (2, 240, 240, 3)
    for image, (x, y, w, h) in zip(sample["images"], sample["boxes"], strict=True):
        assert 0 <= x + w / 2 <= 240 and 0 <= y + h / 2 <= 240
        touches = box.x == 0 or box.y == 0 or box.x + box.w == 260 or box.y + box.h == 200
        if touches or w < 8 or h < 8:
            continue
        bright = mask_to_box((image[..., 0] > 157).astype(np.uint8))
        assert bright is not None
        x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + w, 240), min(y + h, 240)
        found = np.array([bright.x, bright.y, bright.x + bright.w, bright.y + bright.h])
        assert np.abs(found - (x1, y1, x2, y2)).max() <= 3


def test_dimp_target_fills_a_sixth_of_the_crop() -> None:
    frame = frame_with(Box(120.0, 90.0, 20.0, 20.0))
    sample = dimp_sample([frame], 1, CALM, PLAIN, np.random.default_rng(0))
    assert sample["boxes"][0, 2:] == pytest.approx([20, 20], abs=0.2)
    assert sample["boxes"][0, :2] + 10 == pytest.approx([60, 60], abs=1.1)


def test_test_frames_are_jittered_more() -> None:
    frame = frame_with(Box(120.0, 90.0, 12.0, 12.0))
    rng = np.random.default_rng(0)
    samples = [
        dimp_sample([frame, frame], 1, DimpCropConfig(size=72), PLAIN, rng)["boxes"]
        for _ in range(200)
    ]
    centers = np.array([boxes[:, 0] + boxes[:, 2] / 2 for boxes in samples])
    train, test = centers.std(axis=0)
    assert train == pytest.approx(72 * 3 / 6 / math.sqrt(12), rel=0.15)
    assert test == pytest.approx(72 * 5.5 / 6 / math.sqrt(12), rel=0.15)


def test_crops_of_a_sample_share_their_tone() -> None:
    crops = [np.full((16, 16, 3), 128, np.uint8)] * 2
    quiet = SensorConfig(0.0, 0.0)
    shared = AppearanceConfig(colors=1.0, flicker=0.0, detail=False, sensor=quiet)
    a, b = shared.apply(crops, np.random.default_rng(3))
    assert np.array_equal(a, b) and not np.array_equal(a, crops[0])
    flickering = AppearanceConfig(colors=0.0, flicker=1.0, detail=False, sensor=quiet)
    a, b = flickering.apply(crops, np.random.default_rng(3))
    assert not np.array_equal(a, b)


def test_sensor() -> None:
    image = np.full((64, 64, 3), (200, 90, 20), np.uint8)
    rng = np.random.default_rng(0)
    assert record(image, SensorConfig(0.0, 0.0), rng) is image
    compressed = record(image, SensorConfig(0.0, 1.0), rng)
    assert np.abs(compressed.astype(int) - image).max() <= 6, "colors keep their order"
    noisy = record(image, SensorConfig(1.0, 0.0, noise_sigma=8.0), rng).astype(int) - image
    assert 0.8 < noisy[..., :2].std() < 8.5


@pytest.mark.parametrize("change", [{"size": 4}, {"factor": 0.5}])
def test_impossible_crops_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RefineCropConfig(**change)  # type: ignore[arg-type]
