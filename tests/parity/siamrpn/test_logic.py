"""Anchors, window, crops, first states and clips of SiamRPN++."""

from pathlib import Path

import numpy as np
import pytest

from alpharefine.trackers.siamese.config import AnchorConfig
from alpharefine.trackers.siamese.context import cut_context, mean_color
from alpharefine.trackers.siamese.proposals import anchor_boxes, hann_window
from alpharefine.trackers.siamese.state import TargetState
from alpharefine.trackers.siamrpn.config import SiamRpnConfig
from alpharefine.types import Box
from tests.parity.fixtures import fixture_cases, load_npz, sha1
from vot_integration.regions.targets import polygon_to_box

CELLS = 25


@pytest.mark.parametrize("path", fixture_cases("anchors", "siamrpn"))
def test_anchors_and_window(path: Path) -> None:
    data = load_npz(path)
    anchors = anchor_boxes(AnchorConfig(), CELLS).reshape(4, -1).T
    np.testing.assert_array_equal(anchors, data["anchors"])
    np.testing.assert_allclose(hann_window(CELLS), data["window"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("path", fixture_cases("geom", "siamrpn"))
def test_crops(path: Path) -> None:
    data = load_npz(path)
    image = data["image_bgr"]
    fill = mean_color(image)
    np.testing.assert_allclose(fill, data["avg"], rtol=0, atol=1e-9)
    context = SiamRpnConfig().context
    for i, (x, y, size, side) in enumerate(data["cases"]):
        crop = cut_context(image, (x, y), int(side), int(size), fill, context)
        step = len(crop) // 31
        np.testing.assert_array_equal(crop[::step, ::step][:31, :31], data["crops_sub"][i])
        assert int(crop.sum(dtype=np.int64)) == data["crops_sum"][i]
        assert sha1(crop) == data["crops_sha1"][i]


@pytest.mark.parametrize("path", fixture_cases("geom", "siamrpn"))
def test_first_states(path: Path) -> None:
    data = load_npz(path)
    polygons, rectangles = np.split(data["inits"], [len(data["polys"])])
    for corners, (x, y, w, h, *box) in zip(data["polys"], polygons, strict=True):
        ours = polygon_to_box(corners.reshape(4, 2))
        np.testing.assert_allclose(ours, box, rtol=0, atol=1e-9)
        state = TargetState.around(ours, SiamRpnConfig().initial_shift)
        np.testing.assert_allclose([*state.center, state.w, state.h], [x, y, w, h], atol=1e-9)
    for rectangle, (x, y, w, h, *box) in zip(data["rects"], rectangles, strict=True):
        state = TargetState.around(Box(*rectangle))
        np.testing.assert_allclose([*state.center, state.w, state.h], [x, y, w, h], atol=1e-9)
        again = TargetState.around(Box(*box), SiamRpnConfig().initial_shift)
        np.testing.assert_allclose(again.center, state.center, atol=1e-9)


@pytest.mark.parametrize("path", fixture_cases("geom", "siamrpn"))
def test_clips(path: Path) -> None:
    data = load_npz(path)
    for before, after in zip(data["clip_in"], data["clip_out"], strict=True):
        state = TargetState(*before).clipped(240, 320)
        np.testing.assert_allclose([*state.center, state.w, state.h], after, rtol=0, atol=1e-9)
