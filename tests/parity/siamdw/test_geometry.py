"""Crops, roundings and boxes of SiamFC+ and SiamRPN+."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alpharefine.trackers.siamese.config import AnchorConfig, ContextConfig
from alpharefine.trackers.siamese.context import cut_context, cut_pyramid, mean_color
from alpharefine.trackers.siamese.proposals import anchor_boxes
from alpharefine.trackers.siamese.state import TargetState
from alpharefine.trackers.siamfc.config import SiamFcConfig
from alpharefine.trackers.siamrpn.config import SIAMRPN_PLUS
from alpharefine.types import Box
from tests.parity.fixtures import fixture_cases, has_video, load_npz, sha1, video_frames
from tests.parity.siamdw.common import FAMILY
from vot_integration.regions.targets import polygon_to_box

CONTEXT = SiamFcConfig().context
START_BOXES = {"blackswan": Box(127, 73, 383, 312), "synth": Box(70, 110, 48, 36)}
CROPS = {
    "z127": ("blackswan", 0, 127, 694),
    "z135": ("blackswan", 0, 135, 694),
    "x263": ("blackswan", 0, 263, 1352),
    "x255": ("blackswan", 4, 255, 1393),
    "x271": ("blackswan", 4, 271, 1481),
    "x287": ("blackswan", 4, 287, 1568),
    "z127_synth": ("synth", 0, 127, 84),
    "x255_synth": ("synth", 4, 255, 169),
}
"""Key -> video, frame, size and side."""


def _frame(video: str, index: int) -> NDArray[np.uint8]:
    """BGR."""
    if video != "synth" and not has_video(video):
        pytest.skip(f"the frames of {video} are not here")
    return np.ascontiguousarray(video_frames(video, index + 1)[index][..., ::-1])


@pytest.mark.parametrize("key", CROPS)
@pytest.mark.parametrize("path", fixture_cases("crops", FAMILY))
def test_crops(path: Path, key: str) -> None:
    video, index, size, side = CROPS[key]
    image = _frame(video, index)
    state = TargetState.around(START_BOXES[video])
    if key.startswith("z"):
        assert CONTEXT.round_side(CONTEXT.side(state.w, state.h)) == side
    crop = cut_context(image, state.center, side, size, mean_color(image), CONTEXT)
    np.testing.assert_array_equal(crop, load_npz(path)[key])


def _check_sub(crop: NDArray[np.uint8], expected: NDArray[np.uint8], mean: float) -> None:
    sub = crop[::16, ::16].flatten()
    np.testing.assert_array_equal(sub, expected[: len(sub)])
    assert not expected[len(sub) :].any()
    assert crop.mean() == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("path", fixture_cases("geom_eval", FAMILY))
def test_crops_at_borders_and_the_pyramid(path: Path) -> None:
    data = load_npz(path)
    image = _frame("blackswan", 0)
    assert sha1(image) == data["frame_sha1"]
    fill = mean_color(image)
    np.testing.assert_allclose(fill, data["avg"], rtol=0, atol=1e-9)
    for i, (x, y, size, side) in enumerate(data["cases"]):
        crop = cut_context(image, (x, y), int(side), int(size), fill, CONTEXT)
        _check_sub(crop, data["sub"][i], data["mean"][i])
    _, crops = cut_pyramid(image, (300.3, 200.7), (240.4, 251.6, 263.5), fill, CONTEXT)
    assert crops.shape == (3, 255, 255, 3)
    channels_first = crops.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(channels_first[:, :, ::16, ::16], data["pyr_sub"])
    means = crops.reshape(3, -1).mean(1, dtype=np.float64)
    np.testing.assert_allclose(means, data["pyr_mean"], rtol=1e-6)


@pytest.mark.parametrize("path", fixture_cases("geom_eval", FAMILY))
def test_roundings(path: Path) -> None:
    data = load_npz(path)
    away, even = SIAMRPN_PLUS.context, ContextConfig(side_rounding="half_even")
    assert [away.round_side(v) for v in data["py2round_in"]] == data["py2round_out"].tolist()
    expected = np.maximum(data["py3round_out"], 1).tolist()
    assert [even.round_side(v) for v in data["py2round_in"]] == expected


@pytest.mark.parametrize("path", fixture_cases("geom_eval", FAMILY))
def test_boxes(path: Path) -> None:
    data = load_npz(path)
    for corners, expected in zip(data["poly"], data["poly_aabb"], strict=True):
        box = polygon_to_box(corners.reshape(4, 2))
        # The center of the pixels that the box covers.
        actual = [box.x + (box.w - 1) / 2, box.y + (box.h - 1) / 2, box.w, box.h]
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9)
    for rectangle, expected in zip(data["rect"], data["rect_aabb"], strict=True):
        _check_center_form(TargetState.around(Box(*rectangle)), expected)
    for state, box in zip(data["cxywh_in"], data["cxywh_out"], strict=True):
        np.testing.assert_allclose(TargetState(*state).box_from_inside, box, rtol=0, atol=1e-9)


def _check_center_form(state: TargetState, expected: NDArray[Any]) -> None:
    np.testing.assert_allclose([*state.center, state.w, state.h], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("path", fixture_cases("label", FAMILY))
@pytest.mark.parametrize(("size", "cells"), [(255, 17), (271, 19), (287, 21)])
def test_anchors(path: Path, size: int, cells: int) -> None:
    anchors = anchor_boxes(AnchorConfig(), cells)
    np.testing.assert_array_equal(anchors[:, :, ::4, ::4], load_npz(path)[f"anchor{size}"])
