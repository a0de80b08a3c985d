"""Context crops of Siamese trackers where parity does not reach."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alpharefine.trackers.siamese import context
from alpharefine.trackers.siamese.config import ContextConfig
from alpharefine.trackers.siamese.context import cut_context
from alpharefine.trackers.siamese.state import TargetState
from alpharefine.types import Box

FILL = np.array([10.9, 20.0, 30.5])


def _image(height: int = 12, width: int = 17) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _pixel_by_pixel(image: NDArray[np.uint8], x0: int, y0: int, side: int) -> NDArray[np.uint8]:
    crop = np.empty((side, side, 3), np.uint8)
    for y in range(side):
        for x in range(side):
            inside = 0 <= y0 + y < image.shape[0] and 0 <= x0 + x < image.shape[1]
            crop[y, x] = image[y0 + y, x0 + x] if inside else FILL.astype(np.uint8)
    return crop


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-40, 60),
    st.floats(-40, 60),
    st.integers(1, 40),
    st.sampled_from(["half_up", "half_even"]),
)
def test_every_pixel(x: float, y: float, side: int, rounding: str) -> None:
    config = ContextConfig(corner_rounding=rounding)  # type: ignore[arg-type]
    crop = cut_context(_image(), (x, y), side, side, FILL, config)
    corners = config.corner(x, side), config.corner(y, side)
    np.testing.assert_array_equal(crop, _pixel_by_pixel(_image(), *corners, side))


@pytest.mark.parametrize(
    ("center", "half_up", "half_even"), [(10.5, 8, 8), (11.5, 9, 8), (9.5, 7, 6), (10.4, 7, 7)]
)
def test_corners_at_half_pixels(center: float, half_up: int, half_even: int) -> None:
    # Of a side of 5 the corner is 3 before the center.
    assert ContextConfig(corner_rounding="half_up").corner(center, 5) == half_up
    assert ContextConfig(corner_rounding="half_even").corner(center, 5) == half_even


def test_a_crop_far_outside_is_all_fill() -> None:
    for center in ((-1e9, 5.0), (1e300, 1e300), (5.0, 4e5)):
        crop = cut_context(_image(), center, 20, 8, FILL, ContextConfig())
        assert (crop == FILL.astype(np.uint8)).all()


def test_a_huge_crop_takes_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_MAX_SIDE", 64)
    image = np.repeat(np.repeat(_image(20, 20), 20, 0), 20, 1)
    crop = cut_context(image, (200.0, 200.0), 400, 40, FILL, ContextConfig())
    monkeypatch.undo()
    exact = cut_context(image, (200.0, 200.0), 400, 40, FILL, ContextConfig())
    # The image's cells are 20 px wide; of 7 px only one is read.
    assert crop.shape == exact.shape
    assert np.abs(crop.astype(int) - exact).mean() < 25
    side = ContextConfig().round_side(ContextConfig().side(1e200, 1e200))
    assert cut_context(image, (200.0, 200.0), side, 40, FILL, ContextConfig()).shape == (40, 40, 3)


@given(st.floats(0, 1e3), st.floats(0, 1e3))
def test_sides_are_never_empty(w: float, h: float) -> None:
    config = ContextConfig()
    assert config.round_side(config.side(w, h)) >= 1


def test_states_are_clipped_to_the_image() -> None:
    state = TargetState(-5.0, 500.0, 3.0, 900.0).clipped(120, 160)
    assert state == TargetState(0.0, 120.0, 10.0, 120.0)
    assert TargetState(1.0, 1.0, 5.0, 5.0).clipped(4, 4) == TargetState(1.0, 1.0, 10.0, 10.0)
    assert state.box == Box(-5.0, 60.0, 10.0, 120.0)
    assert state.box_from_inside == Box(0.0, 60.0, 10.0, 120.0)
