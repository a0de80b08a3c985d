import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpharefine.errors import UsageError
from alpharefine.geometry.refine_crop import (
    crop_window,
    cut_crop,
    map_to_image,
    mask_to_image,
    reference_box,
    to_crop,
    to_image,
    to_image_official,
)
from alpharefine.types import Box

HEIGHT, WIDTH = 90, 120
position = st.floats(-200, 300, allow_nan=False)
side = st.floats(0.3, 150, allow_nan=False)
boxes = st.builds(Box, position, position, side, side)


@given(boxes)
def test_box_goes_to_the_crop_and_back(box: Box) -> None:
    window = crop_window(box, 64)
    np.testing.assert_allclose(to_image(to_crop(box, window), window), box, atol=1e-6)


@given(boxes)
def test_window_is_centred_and_covers_twice_the_box(box: Box) -> None:
    window = crop_window(box, 64)
    assert 2 * box.w <= window.width < 2 * box.w + 1
    assert abs(window.left + window.width / 2 - (box.x + box.w / 2)) <= 0.5
    assert abs(window.top + window.height / 2 - (box.y + box.h / 2)) <= 0.5


@given(boxes)
def test_official_way_back_is_at_most_a_pixel_off(box: Box) -> None:
    window = crop_window(box, 64)
    corners = (10.0, 12.0, 50.0, 40.0)
    exact, official = to_image(corners, window), to_image_official(corners, window)
    np.testing.assert_allclose(official, exact, atol=1.0 + 1e-9)
    np.testing.assert_allclose(official[2:], exact[2:], rtol=1e-12)


@given(boxes)
def test_reference_box_is_half_the_crop(box: Box) -> None:
    window = crop_window(box, 64)
    x1, y1, x2, y2 = reference_box(window)
    assert 0 <= x1 < x2 <= 64 and 0 <= y1 < y2 <= 64
    assert x1 + x2 == pytest.approx(63) and y1 + y2 == pytest.approx(63)
    assert x2 - x1 <= 32 + 1e-9


@given(boxes)
def test_mask_is_the_thresholded_map(box: Box) -> None:
    window = crop_window(box, 32)
    values = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
    full = map_to_image(values, window, HEIGHT, WIDTH)
    mask = mask_to_image(values, window, HEIGHT, WIDTH, 0.65)
    assert mask.dtype == np.uint8 and mask.flags.c_contiguous
    np.testing.assert_array_equal(mask, full > np.float32(0.65))
    outside = np.ones((HEIGHT, WIDTH), bool)
    top, left = max(window.top, 0), max(window.left, 0)
    bottom, right = max(window.top + window.height, 0), max(window.left + window.width, 0)
    outside[top:bottom, left:right] = False
    assert not full[outside].any()


@given(boxes)
def test_crop_is_black_outside_the_image(box: Box) -> None:
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    window = crop_window(box, 32)
    crop = cut_crop(image, window)
    inside_x = window.left >= 0 and window.left + window.width <= WIDTH
    inside_y = window.top >= 0 and window.top + window.height <= HEIGHT
    if inside_x and inside_y:
        assert (crop == 200).all()
    elif window.left >= WIDTH or window.top >= HEIGHT:
        assert not crop.any()


def test_unscaled_crop_is_the_image_itself() -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    window = crop_window(Box(30, 20, 16, 16), 32)
    np.testing.assert_array_equal(cut_crop(image, window), image[12:44, 22:54])


def test_padded_border_blackens_the_last_row_and_column_at_the_border_only() -> None:
    image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    touching = crop_window(Box(WIDTH - 24, HEIGHT - 24, 16, 16), 32)
    exact, padded = cut_crop(image, touching), cut_crop(image, touching, padded_border=True)
    assert (exact == 200).all() and (padded[:-1, :-1] == 200).all()
    assert not padded[-1].any() and not padded[:, -1].any()
    away = crop_window(Box(WIDTH - 25, HEIGHT - 25, 16, 16), 32)
    assert (cut_crop(image, away, padded_border=True) == 200).all()


@pytest.mark.parametrize(
    "box",
    [
        Box(1, 2, 0, 5),
        Box(1, 2, 5, -3),
        Box(float("nan"), 2, 5, 5),
        Box(0, 0, float("inf"), 1),
        Box(0, 0, 1e6, 1e6),
    ],
)
def test_unusable_boxes_are_refused(box: Box) -> None:
    with pytest.raises(UsageError, match="cannot crop around the box"):
        crop_window(box, 64)
