import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpharefine.geometry.base_crop import sample_patch


def _image(height: int, width: int) -> np.ndarray:
    """Red is the row, green the column."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.zeros_like(rows)], -1).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 200),
    st.integers(2, 200),
    st.floats(-50, 250, width=32),
    st.floats(-50, 250, width=32),
    st.floats(0.01, 4),
    st.sampled_from([None, 1.0, 1.5]),
)
def test_any_region_of_any_image(
    height: int, width: int, y: float, x: float, scale: float, change: float | None
) -> None:
    patch = sample_patch(_image(height, width), np.array([y, x], np.float32), scale, 64, change)
    assert patch.pixels.shape == (64, 64, 3)
    assert patch.pixels.dtype == np.float32 and np.isfinite(patch.pixels).all()
    sides = patch.coordinates[2:] - patch.coordinates[:2]
    assert (sides >= 2).all() and sides[0] == sides[1]


def test_pixels_come_from_where_the_coordinates_say() -> None:
    patch = sample_patch(_image(200, 200), np.array([90, 120], np.float32), 1.0, 64)
    top, left, bottom, right = patch.coordinates
    np.testing.assert_array_equal(patch.pixels[:, 0, 0], np.arange(top, bottom))
    np.testing.assert_array_equal(patch.pixels[0, :, 1], np.arange(left, right))


def test_inside_major_moves_the_region_into_the_image() -> None:
    patch = sample_patch(_image(200, 200), np.array([2, 199], np.float32), 1.0, 64, 1.5)
    np.testing.assert_array_equal(patch.coordinates, [0, 136, 64, 200])


def test_border_is_repeated_outside() -> None:
    patch = sample_patch(_image(50, 50), np.array([0, 0], np.float32), 1.0, 64)
    assert not patch.pixels[:16, :16, :2].any()


@pytest.mark.parametrize("forget", [False, True], ids=["fixed", "official"])
def test_subsampling_starts_where_the_coordinates_say_but_in_parity_mode(forget: bool) -> None:
    """A region of three times the output's side takes every second pixel, here the odd ones."""
    center = np.array([121, 119], np.float32)
    patch = sample_patch(_image(250, 250), center, 3.0, 64, forget_offset=forget)
    # The middle of the pixels that are there; `center` counts the last one's neighbor, too.
    middle = patch.pixels[..., :2].mean((0, 1)) + 0.5
    np.testing.assert_allclose(middle - patch.center, 1.0 if forget else 0.0, atol=0.05)
