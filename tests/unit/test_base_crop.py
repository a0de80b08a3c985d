import numpy as np
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
