"""Alpha-Refine's crops, back-projection and clip against `geom_int.npz`."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from alpharefine.geometry.boxes import clip_box, mask_to_box
from alpharefine.geometry.refine_crop import (
    crop_window,
    cut_crop,
    map_to_image,
    mask_to_image,
    reference_box,
)
from alpharefine.types import Box
from tests.parity.fixtures import Arrays, assert_close_relative, fixture_cases, load_npz


@pytest.fixture(scope="module", params=fixture_cases("geom_int"))
def arrays(request: pytest.FixtureRequest) -> Arrays:
    path: Path = request.param
    return load_npz(path)


def test_crops(arrays: Arrays) -> None:
    for box, expected, factors in zip(
        arrays["ar_boxes"], arrays["ar_crop_sub"], arrays["ar_factors"], strict=True
    ):
        windows = [crop_window(Box(*map(float, box)), size) for size in (384, 256)]
        crops = [cut_crop(arrays["image"], window, padded_border=True) for window in windows]
        assert crops[0].dtype == np.uint8
        actual = np.concatenate([crops[0][::12, ::12].ravel(), crops[1][::8, ::8].ravel()])
        difference = np.abs(actual.astype(int) - expected.astype(int))
        assert difference.max() <= 1, f"box {box}"
        scales = [(window.scale[1], window.scale[0]) for window in windows]
        np.testing.assert_allclose(np.ravel(scales), factors[:4], rtol=1e-12)
        np.testing.assert_allclose([crop.mean() for crop in crops], factors[4:], rtol=1e-4)


def test_reference_boxes(arrays: Arrays) -> None:
    corners = [reference_box(crop_window(Box(*map(float, box)), 384)) for box in arrays["ar_boxes"]]
    x1, y1, x2, y2 = np.array(corners).T
    actual = np.stack([x1, y1, x2 - x1, y2 - y1], 1)
    assert_close_relative(actual, arrays["ar_box_in_crop"])


def test_maps_back_to_the_image(arrays: Arrays) -> None:
    crop_map = cv2.resize(arrays["ar_mask_base24"], (384, 384), interpolation=cv2.INTER_LINEAR)
    assert_close_relative(crop_map[::2, ::2], arrays["ar_mask_in"])
    height, width = arrays["image"].shape[:2]
    for box, expected, (total, above, peak) in zip(
        arrays["ar_boxes"], arrays["ar_mask_full_sub4"], arrays["ar_mask_stats"], strict=True
    ):
        window = crop_window(Box(*map(float, box)), 384)
        full = map_to_image(crop_map, window, height, width)
        assert_close_relative(full[::4, ::4], expected, name=f"box {box}")
        np.testing.assert_allclose(full.sum(dtype=np.float64), total, rtol=1e-4)
        np.testing.assert_allclose(full.max(), peak, rtol=1e-4)
        mask = mask_to_image(crop_map, window, height, width, 0.65)
        np.testing.assert_array_equal(mask, full > np.float32(0.65))
        assert abs(int(mask.sum()) - above) <= 20


def test_clip(arrays: Arrays) -> None:
    for (x1, y1, x2, y2), expected in zip(
        arrays["clip_in_xyxy"], arrays["clip_out_xyxy"], strict=True
    ):
        clipped = clip_box(Box(x1, y1, x2 - x1, y2 - y1), height=480, width=854)
        corners = (clipped.x, clipped.y, clipped.x + clipped.w, clipped.y + clipped.h)
        np.testing.assert_allclose(corners, expected, atol=1e-9)


def test_box_of_a_mask(arrays: Arrays) -> None:
    box = mask_to_box(arrays["rect_mask"])
    assert box is not None
    np.testing.assert_array_equal(box, arrays["rect_out"])
