"""Properties of the region conversions, and their way through the toolkit's own region files."""

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from vot.region import Mask, Rectangle, RegionType
from vot.region.io import mask_to_rle, parse_region, read_trajectory, write_trajectory

from alpharefine.errors import UsageError
from alpharefine.types import Box
from vot_integration.regions.shapes import (
    MAX_RUNS,
    clip_to_frame,
    count_runs,
    crop_mask,
)
from vot_integration.regions.targets import polygon_to_box, rectangle_to_box, target_mask_to_box

Array = NDArray[np.uint8]
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
MASKS = SIZES.flatmap(lambda size: hnp.arrays(np.uint8, size, elements=st.integers(0, 1)))
BROKEN = st.sampled_from([math.nan, math.inf, -math.inf])
FINITE = st.floats(-1e6, 1e6)


def as_toolkit(mask: Array) -> Mask:
    """The region that the toolkit makes of a crop that TraX brought."""
    crop = crop_mask(mask)
    return Mask(crop.pixels, offset=(crop.x, crop.y), optimize=True)


def paste(region: Mask, height: int, width: int) -> Array:
    """Full-frame mask of a toolkit region."""
    return region.rasterize((0, 0, width - 1, height - 1))


@given(mask=MASKS)
def test_crop_brings_every_pixel_to_the_toolkit(mask: Array) -> None:
    assert (paste(as_toolkit(mask), *mask.shape) == mask).all()


@given(mask=MASKS)
def test_crop_is_what_trax_accepts(mask: Array) -> None:
    pixels, x, y = crop_mask(mask)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.ndim == 2
    assert pixels.shape[1] >= 2
    assert set(np.unique(pixels)) <= {0, 1}
    assert x >= -1
    assert y >= 0
    if mask.any():
        assert pixels.any(axis=1)[[0, -1]].all()
        assert x + pixels.shape[1] <= mask.shape[1]


@pytest.mark.parametrize("change", [np.asfortranarray, lambda m: m[::-1, ::-1], lambda m: m > 0])
def test_crop_of_any_layout_and_type(change) -> None:
    mask = np.zeros((9, 12), np.uint8)
    mask[2:5, 3:11] = 1
    mask[6, 7] = 1
    changed = change(mask)
    crop = crop_mask(changed)
    assert crop.pixels.flags.c_contiguous
    assert (paste(as_toolkit(changed), 9, 12) == np.asarray(changed)).all()


@given(masks=st.lists(MASKS, min_size=1, max_size=4))
@settings(max_examples=30)
def test_result_files_keep_the_mask(masks: list[Array]) -> None:
    regions = [as_toolkit(mask) for mask in masks]
    binary, text = io.BytesIO(), io.StringIO()
    write_trajectory(binary, regions)
    write_trajectory(text, regions)
    from_binary = read_trajectory(io.BytesIO(binary.getvalue()))
    from_text = [parse_region(line) for line in text.getvalue().splitlines()]
    for mask, first, second in zip(masks, from_binary, from_text, strict=True):
        if mask.any():
            assert (paste(first, *mask.shape) == mask).all()
            # The toolkit's reader of text files takes every mask one column wide for empty.
            if np.count_nonzero(mask.any(axis=0)) > 1:
                assert (paste(second, *mask.shape) == mask).all()
        else:
            assert first.is_empty()
            assert second.is_empty()


@given(mask=MASKS.filter(np.any))
def test_count_of_runs_is_an_upper_bound(mask: Array) -> None:
    pixels = crop_mask(mask).pixels
    assert len(mask_to_rle(pixels, maxstride=255 * 255)) <= count_runs(pixels)


@pytest.mark.parametrize("pattern", ["checkers", "stripes", "comb", "noise"])
def test_too_many_runs_are_reduced_until_the_binary_writer_takes_them(pattern: str) -> None:
    rows, columns = np.mgrid[:700, :501]
    mask = {
        "checkers": (rows + columns) % 2,
        "stripes": columns % 2,
        "comb": (columns % 2) | (rows == 0),
        "noise": np.random.default_rng(0).random(rows.shape) < 0.3,
    }[pattern].astype(np.uint8)
    mask[200:400, 100:300] = 1
    region = as_toolkit(mask)
    assert len(mask_to_rle(region.mask, maxstride=255 * 255)) <= MAX_RUNS
    write_trajectory(io.BytesIO(), [region])
    assert paste(region, *mask.shape)[202:398, 102:298].all()


def test_specks_go_and_the_object_stays() -> None:
    mask = np.zeros((1000, 1000), np.uint8)
    mask[::3, ::3] = 1
    mask[300:700, 200:600] = 1
    reduced = paste(as_toolkit(mask), 1000, 1000)
    expected = np.zeros_like(mask)
    expected[300:700, 200:600] = 1
    assert (reduced != expected).mean() < 0.01


@given(
    box=st.builds(Box, FINITE, FINITE, st.floats(0, 1e6), st.floats(0, 1e6)),
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_clipped_box_lies_in_the_frame(box: Box, size: tuple[int, int]) -> None:
    height, width = size
    clipped = clip_to_frame(box, height, width)
    assert all(math.isfinite(value) for value in clipped)
    assert min(clipped) >= 0
    assert clipped.x + clipped.w <= width * (1 + 1e-9)
    assert clipped.y + clipped.h <= height * (1 + 1e-9)


@given(box=st.builds(Box, *[st.floats(0, 100)] * 2, *[st.floats(0.01, 100)] * 2))
def test_box_in_the_frame_is_not_changed(box: Box) -> None:
    assert clip_to_frame(box, 200, 200) == pytest.approx(box, abs=1e-9)


@given(
    box=st.tuples(*[st.integers(-50, 50)] * 2, *[st.integers(2, 80)] * 2),
)
def test_upright_polygon_is_its_rectangle(box: tuple[int, int, int, int]) -> None:
    # The toolkit's own rectangle-to-polygon conversion, undone exactly.
    polygon = Rectangle(*box).convert(RegionType.POLYGON)
    assert polygon_to_box(np.array(polygon.points())) == pytest.approx(box, abs=1e-6)


def test_rotated_polygon_keeps_center_and_area() -> None:
    diamond = np.array([(50, 30), (70, 50), (50, 70), (30, 50)], dtype=float)
    box = polygon_to_box(diamond)
    side = math.sqrt(2 * 20**2) + 1
    assert box == pytest.approx((50 - (side - 1) / 2,) * 2 + (side,) * 2)


@given(corners=st.lists(st.tuples(FINITE, FINITE), min_size=5, max_size=50))
def test_other_polygons_become_their_bounding_rectangle(corners: list[tuple[float, float]]) -> None:
    points = np.array(corners)
    box = polygon_to_box(points)
    low, high = points.min(axis=0), points.max(axis=0)
    assert (box.x, box.y) == pytest.approx(tuple(low), abs=1e-6)
    assert (box.w, box.h) == pytest.approx(tuple(high - low + 1), abs=1e-6)


@given(corners=st.lists(st.tuples(FINITE, FINITE), min_size=3, max_size=50))
def test_every_finite_polygon_is_a_target(corners: list[tuple[float, float]]) -> None:
    assert polygon_to_box(np.array(corners)).is_valid


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (10, 10), (10, 0), (0, 10)],
        [(5, 5)] * 4,
        [(0, 3), (9, 3), (9, 3), (0, 3)],
        [(0, 0), (0, 0), (10, 0), (10, 10)],
    ],
    ids=["crossed", "point", "line", "triangle"],
)
def test_degenerate_four_corners_cover_about_what_they_enclose(corners) -> None:
    points = np.array(corners, dtype=float)
    box = polygon_to_box(points)
    extent = np.ptp(points, axis=0) + 1
    assert box.w == pytest.approx(extent[0], rel=0.25)
    assert box.h == pytest.approx(extent[1], rel=0.25)


@given(data=st.data(), value=BROKEN, count=st.integers(3, 12))
def test_broken_polygons_are_refused_in_one_line(data, value: float, count: int) -> None:
    points = np.zeros((count, 2))
    points[data.draw(st.integers(0, count - 1)), data.draw(st.integers(0, 1))] = value
    with pytest.raises(UsageError) as caught:
        polygon_to_box(points)
    assert "\n" not in str(caught.value)


@given(data=st.data(), value=BROKEN | st.just(-1.0))
def test_broken_rectangles_are_refused(data, value: float) -> None:
    numbers = [1.0, 2.0, 3.0, 4.0]
    index = data.draw(st.integers(2, 3) if value == -1 else st.integers(0, 3))
    numbers[index] = value
    with pytest.raises(UsageError, match="empty or not finite"):
        rectangle_to_box(*numbers)


def test_rectangle_is_taken_as_it_is() -> None:
    assert rectangle_to_box(-1.5, 2.25, 3.5, 4.75) == Box(-1.5, 2.25, 3.5, 4.75)


def test_empty_target_mask_is_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        target_mask_to_box(np.zeros((4, 5), np.uint8))
