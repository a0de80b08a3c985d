"""SiamRPN++ and Ta-SiamRPN++ frame by frame from the fixture's state, and free."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.trackers.siamese.config import AnchorConfig
from alpharefine.trackers.siamese.context import cut_context, mean_color
from alpharefine.trackers.siamese.proposals import anchor_boxes
from alpharefine.trackers.siamrpn.channels import ChannelSelectionConfig
from alpharefine.trackers.siamrpn.config import TA_SIAMRPN_PP, SiamRpnConfig
from alpharefine.trackers.siamrpn.ridge import fit_ridge, gaussian_label
from alpharefine.trackers.siamrpn.tracker import SiamRpnTracker
from alpharefine.types import Box, Estimate
from tests.parity.fixtures import (
    Arrays,
    assert_close_relative,
    filler_seed,
    fixture_cases,
    load_npz,
    sha1,
)
from tests.parity.siamese import RUNTIME, RepeatingRpn, check_state, clip, state_of
from tests.parity.siamrpn.common import FAMILY, prepared_network

CELLS = 25
SIZES = {"synth": (240, 320)}
DAVIS = (480, 854)
FREE = 2e-2
"""px, of a free run."""

FRAMEWISE = 5e-3
"""px, from the fixture's state."""


class RecordedNetwork:
    """Answers a fixture's scores, and of the boxes only the best one: the others are NaN."""

    def __init__(self, data: Arrays) -> None:
        self._data = data
        self.row = 0

    def features(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {}

    def template(self, features: Any) -> None:
        return None

    def predict(self, features: Any, template: Any) -> RpnMaps:
        score = torch.from_numpy(self._data["score"][self.row].astype(np.float64))
        classification = torch.cat([torch.zeros_like(score), torch.logit(score)])
        best = int(self._data["best_idx"][self.row])
        anchor = anchor_boxes(AnchorConfig(), CELLS).reshape(4, -1)[:, best]
        box = self._data["pred_best"][self.row]
        offsets = torch.full((4, len(score)), torch.nan)
        offsets[:2, best] = torch.from_numpy((box[:2] - anchor[:2]) / anchor[2:])
        offsets[2:, best] = torch.from_numpy(np.log(box[2:] / anchor[2:]))
        shape = (1, -1, CELLS, CELLS)
        return RpnMaps(classification.reshape(shape), offsets.reshape(shape))


def _video(path: Path) -> str:
    found = re.fullmatch(r"trk_(?:ta_)?(.+)_w\d+", path.stem)
    assert found is not None
    return found.group(1)


def _frames(path: Path, data: Arrays) -> list[NDArray[np.uint8]] | None:
    return clip(_video(path), data["frame_sha1"], first=1)


def _tracker(path: Path, data: Arrays, image: NDArray[np.uint8]) -> SiamRpnTracker:
    config = TA_SIAMRPN_PP if path.stem.startswith("trk_ta_") else SiamRpnConfig()
    network = RepeatingRpn(prepared_network(filler_seed(path)))
    tracker = SiamRpnTracker(network, config, RUNTIME)
    tracker.initialize(image, Box(*map(float, data["init_box"])))
    check_state(tracker.state, data["init_center"], data["init_size"], 1e-9)
    np.testing.assert_allclose(mean_color(image)[::-1], data["channel_average"], atol=1e-9)
    for stage, mask in tracker.masks.items():
        official = np.unpackbits(data[f"keep{stage[-1]}"]).astype(np.float32)
        flips = np.count_nonzero(mask.flatten().numpy() != official)
        assert flips <= (4 if stage == "layer4" else 0)
    if any("keep" in key for key in data):
        assert set(tracker.masks) == {"layer2", "layer3", "layer4"}
    return tracker


def _check_geometry(tracker: SiamRpnTracker, data: Arrays, k: int, tolerance: float) -> None:
    trace = tracker.trace
    search = trace.context_side * 255 / 127
    assert abs(trace.context_side - data["s_z"][k]) <= tolerance
    assert abs(127 / trace.context_side - data["scale_z"][k]) <= 5e-5
    assert abs(search - data["s_x"][k]) <= tolerance
    assert trace.crop_side == data["s_x_round"][k]


def _check_best(tracker: SiamRpnTracker, data: Arrays, k: int, estimate: Estimate) -> None:
    """The arithmetic from the best proposal on, and which one that is."""
    trace = tracker.trace
    best = trace.ranking.best
    assert best is not None
    index = int(np.ravel_multi_index(best, trace.scores.shape))
    assert index == data["best_idx"][k] or data["pscore_margin"][k] < 5e-5
    np.testing.assert_allclose(trace.ranking.penalties[best], data["penalty_best"][k], atol=1e-5)
    np.testing.assert_allclose(trace.ranking.values[best], data["pscore_best"][k], atol=1e-5)
    np.testing.assert_allclose(trace.rate, data["lr"][k], rtol=0, atol=1e-5)
    box = trace.boxes[(slice(None), *best)]  # type: ignore[index]
    np.testing.assert_allclose(box, data["pred_best"][k], rtol=0, atol=5e-3)
    assert abs(estimate.confidence - data["best_score"][k]) <= 2e-5


def _check_crop(crop: NDArray[np.uint8], data: Arrays, k: int) -> None:
    bgr = crop[..., ::-1]
    np.testing.assert_array_equal(bgr[::32, ::32], data["x_crop_sub"][k])
    assert sha1(bgr) == data["x_crop_sha1"][k]


def _check_box(estimate: Estimate, data: Arrays, k: int, tolerance: float) -> None:
    np.testing.assert_allclose(estimate.box, data["bbox"][k], rtol=0, atol=tolerance)


@pytest.mark.parametrize("path", fixture_cases("trk_*", FAMILY))
def test_from_each_recorded_state_and_free(path: Path) -> None:
    data = load_npz(path)
    frames = _frames(path, data)
    if frames is None:
        _replay(path, data)
        return
    tracker = _tracker(path, data, frames[0])
    free = SiamRpnTracker(tracker.network, tracker.config, RUNTIME)
    free.resume(tracker.snapshot())
    is_free = True
    for k, image in enumerate(frames[1:]):
        tracker.state = state_of(data["center_before"][k], data["size_before"][k])
        _check_frame(tracker, data, k, tracker.track(image))
        is_free = is_free and not _crosses_a_pixel(free, data, k)
        if is_free:
            _check_free_frame(free, data, k, free.track(image))


def _check_frame(tracker: SiamRpnTracker, data: Arrays, k: int, estimate: Estimate) -> None:
    trace = tracker.trace
    _check_geometry(tracker, data, k, 1e-9)
    _check_crop(trace.crop, data, k)
    np.testing.assert_allclose(trace.scores.flatten(), data["score"][k], rtol=0, atol=2e-5)
    penalties = trace.ranking.penalties.flatten()[::25]
    np.testing.assert_allclose(penalties, data["penalty_sub"][k], rtol=0, atol=1e-5)
    _check_best(tracker, data, k, estimate)
    _check_box(estimate, data, k, FRAMEWISE)
    check_state(tracker.state, data["center_after"][k], data["size_after"][k], FRAMEWISE)


def _check_free_frame(tracker: SiamRpnTracker, data: Arrays, k: int, estimate: Estimate) -> None:
    _check_geometry(tracker, data, k, FREE)
    _check_crop(tracker.trace.crop, data, k)
    _check_box(estimate, data, k, FREE)
    check_state(tracker.state, data["center_after"][k], data["size_after"][k], FREE)


def _replay(path: Path, data: Arrays) -> None:
    """Without the frames: what follows from the recorded scores and the best box."""
    network = RecordedNetwork(data)
    tracker = SiamRpnTracker(network, SiamRpnConfig(), RUNTIME)
    image = np.zeros((*SIZES.get(_video(path), DAVIS), 3), np.uint8)
    tracker.initialize(image, Box(*map(float, data["init_box"])))
    check_state(tracker.state, data["init_center"], data["init_size"], 1e-9)
    for k in range(len(data["frame_sha1"])):
        network.row = k
        tracker.state = state_of(data["center_before"][k], data["size_before"][k])
        estimate = tracker.track(image)
        _check_geometry(tracker, data, k, 1e-9)
        _check_best(tracker, data, k, estimate)
        _check_box(estimate, data, k, FRAMEWISE)
        check_state(tracker.state, data["center_after"][k], data["size_after"][k], FRAMEWISE)


@pytest.mark.parametrize("path", fixture_cases("trk_*", FAMILY))
def test_replayed_arithmetic(path: Path) -> None:
    _replay(path, load_npz(path))


def _crosses_a_pixel(tracker: SiamRpnTracker, data: Arrays, k: int) -> bool:
    """Whether the crop is another one where the state is within rounding of the fixture's."""
    context, side = tracker.config.context, int(data["s_x_round"][k])
    check_state(tracker.state, data["center_before"][k], data["size_before"][k], FREE)
    pairs = list(zip(tracker.state.center, data["center_before"][k], strict=True))
    if all(context.corner(ours, side) == context.corner(theirs, side) for ours, theirs in pairs):
        return False
    assert any(abs((value := theirs - side / 2) - round(value)) < FRAMEWISE for _, theirs in pairs)
    return True


@pytest.mark.parametrize("path", fixture_cases("trk_ta_*", FAMILY))
@torch.inference_mode()
def test_channel_regression(path: Path) -> None:
    data = load_npz(path)
    frames = _frames(path, data)
    if frames is None:
        crop = _stored_first_search(path, data)
    else:
        context, image = SiamRpnConfig().context, frames[0]
        side = context.round_side(context.side(*map(float, data["init_size"])))
        side = context.round_side(side * 255 / 127)
        center = (float(data["init_center"][0]), float(data["init_center"][1]))
        crop = cut_context(image, center, side, 255, mean_color(image), context)
    pixels = torch.from_numpy(np.ascontiguousarray(crop[..., ::-1]))
    network = prepared_network(filler_seed(path))
    features = network.features(pixels.permute(2, 0, 1)[None].float())
    config = ChannelSelectionConfig()
    label = gaussian_label(31, config.label_sigma)
    assert_close_relative(label, data["gauss_label"], 1e-6, name="label")
    for level, stride in zip(config.levels, (32, 64, 128), strict=True):
        key = level.stage[-1]
        ridge = fit_ridge(features[level.stage][0], level, config)
        epochs = len(data[f"loss{key}"])
        if key == "3" and abs(len(ridge.losses) - epochs) == 1:
            continue
        assert len(ridge.losses) == epochs
        assert_close_relative(ridge.losses, data[f"loss{key}"], 1e-5, name=f"loss{key}")
        assert_close_relative(ridge.importance, data[f"imp{key}"], 3e-5, name=f"imp{key}")
        weights = ridge.weights[::stride]
        assert_close_relative(weights, data[f"filter{key}_sub"], 3e-5, name=f"filter{key}")
        assert abs(ridge.bias - float(data[f"bias{key}"][0])) <= 1e-7


def _stored_first_search(path: Path, data: Arrays) -> NDArray[np.uint8]:
    """RGB; a network fixture may have it for a video without frames."""
    for sibling in path.parent.glob(f"net_ta_w{filler_seed(path)}.npz"):
        network = load_npz(sibling)
        if (network["box"] == data["init_box"]).all():
            return np.asarray(network["x0_u8"][..., ::-1])
    pytest.skip(f"neither the frames of {_video(path)} nor its first search crop are here")
