"""SiamFC+ and SiamRPN+ frame by frame from the fixture's state, and free."""

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.nets.siamfc.network import SiamFcNet
from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.nets.siamrpn.up_channel import UpChannelRpnNet
from alpharefine.trackers.siamese.config import ContextConfig, RankConfig
from alpharefine.trackers.siamese.context import cut_context, mean_color
from alpharefine.trackers.siamfc.config import SIAMFC_TUNED, SiamFcConfig
from alpharefine.trackers.siamfc.tracker import SiamFcTracker
from alpharefine.trackers.siamrpn.config import SIAMRPN_PLUS, SIAMRPN_PLUS_TUNED, SiamRpnConfig
from alpharefine.trackers.siamrpn.tracker import SiamRpnTracker
from alpharefine.types import Box, Estimate
from tests.parity.fixtures import (
    Arrays,
    assert_close_relative,
    filler_seed,
    fixture_cases,
    load_npz,
)
from tests.parity.siamdw.common import FAMILY, network_tolerance, prepared_network
from tests.parity.siamese import RUNTIME, RepeatingFc, RepeatingRpn, check_state, clip, state_of

ARCHITECTURES = {
    "fc_res22w": "SiamFCRes22W",
    "fc_res22": "SiamFCRes22",
    "fc_incep22": "SiamFCIncep22",
    "fc_next22": "SiamFCNext22",
    "rpn_thinner": "SiamRPNRes22_thinner",
    "rpn_thicker": "SiamRPNRes22_thicker",
}
VIDEOS = {"drift": "driftstraight"}
SIZES = {"synth": (240, 320)}
DAVIS = (480, 854)
FC_STATE = 1e-6
"""px, where all indices agree."""

RPN_STATE = 1e-2
"""px."""


class RecordedFc(SiamFcNet):
    """Answers a fixture's score maps."""

    def __init__(self, data: Arrays) -> None:
        super().__init__(SiamFcNetConfig())
        self._data = data
        self.row = 0

    def features(self, images: Tensor) -> dict[str, Tensor]:
        return {"layer2": images.new_zeros(1)}

    def predict(self, features: Mapping[str, Tensor], kernel: Tensor) -> Tensor:
        return torch.from_numpy(self._data["score"][self.row])[:, None]


class RecordedRpn:
    """Answers a fixture's scores, and of the boxes only the best one: the others are NaN."""

    def __init__(self, data: Arrays) -> None:
        self._data = data
        self.row = 0

    def features(self, images: Tensor) -> dict[str, Tensor]:
        return {}

    def template(self, features: Any) -> None:
        return None

    def predict(self, features: Any, template: Any) -> RpnMaps:
        scores = torch.from_numpy(self._data["cls"][self.row])[None]
        cells = scores.shape[-1]
        offsets = torch.full((4, 5, cells, cells), torch.nan)
        anchor, row, column = self._data["best_index"][self.row]
        offsets[:, anchor, row, column] = torch.from_numpy(self._data["reg_at_best"][self.row])
        return RpnMaps(scores, offsets.reshape(1, -1, cells, cells))


def _parts(path: Path) -> tuple[str, str]:
    """Key of the architecture, and video."""
    stem = re.sub(r"_w\d+$", "", path.stem).removeprefix("trk_")
    key = next(key for key in ARCHITECTURES if stem.startswith(f"{key}_"))
    video = stem.removeprefix(f"{key}_").partition("_")[0]
    return key, VIDEOS.get(video, video)


def _official_parameters(data: Arrays) -> dict[str, Any]:
    parameters: dict[str, Any] = ast.literal_eval(str(data["config"]))
    return parameters


def _fc_config(data: Arrays) -> SiamFcConfig:
    official = _official_parameters(data)
    context = ContextConfig(
        official["context_amount"],
        official["exemplar_size"],
        official["instance_size"],
        corner_rounding="half_even",
    )
    return SiamFcConfig(
        context,
        official["scale_step"],
        official["scale_penalty"],
        official["scale_lr"],
        official["w_influence"],
        official["response_up"],
        official["total_stride"],
    )


def _rpn_config(data: Arrays) -> SiamRpnConfig:
    official = _official_parameters(data)
    context = replace(SIAMRPN_PLUS.context, search_size=official.get("small_sz", 255))
    config = replace(
        SIAMRPN_PLUS,
        context=context,
        rank=RankConfig(official["penalty_k"], official["window_influence"]),
        size_rate=official["lr"],
        small_target_search_size=official.get("big_sz"),
    )
    if "small_sz" in official or official["instance_size"] == 255:
        return config
    # The benchmark of 2017, whose search crop depends on the target.
    tuned = SIAMRPN_PLUS_TUNED["VOT2017"]
    assert (config.rank, config.size_rate) == (tuned.rank, tuned.size_rate)
    return tuned


def _frames(path: Path, data: Arrays) -> list[NDArray[np.uint8]] | None:
    return clip(_parts(path)[1], data["frame_sha1"])


def _blank(path: Path, data: Arrays) -> list[NDArray[np.uint8]]:
    size = SIZES.get(_parts(path)[1], DAVIS)
    return [np.zeros((*size, 3), np.uint8)] * len(data["frame_sha1"])


def _initial_box(data: Arrays) -> Box:
    return Box(*map(float, data["init_box"]))


def _channels_first(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.moveaxis(crop[..., ::-1], -1, -3)


def _check_template(
    image: NDArray[np.uint8], data: Arrays, context: ContextConfig, features: Tensor, rtol: float
) -> None:
    box = _initial_box(data)
    fill = mean_color(image)
    np.testing.assert_allclose(fill[::-1], data["avg_chans"], rtol=0, atol=1e-9)
    side = context.round_side(context.side(box.w, box.h))
    assert side == data["z_side"]
    center = box.x + box.w / 2, box.y + box.h / 2
    crop = cut_context(image, center, side, context.template_size, fill, context)
    np.testing.assert_array_equal(_channels_first(crop)[:, ::8, ::8], data["z_crop_sub"])
    assert_close_relative(features[:, ::16], data["zf_sub"], rtol, "zf")


def _check_fc_index(tracker: SiamFcTracker, data: Arrays, k: int) -> bool:
    """Whether the place is the recorded one; another one must be as good within rounding."""
    trace = tracker.trace
    assert trace.best_scale == data["best_scale"][k]
    if trace.best_position == tuple(data["best_index"][k]):
        return True
    assert trace.blended is not None
    best, recorded = trace.blended.max(), trace.blended[tuple(data["best_index"][k])]
    assert best - recorded <= 1e-4 * best
    return False


def _check_fc_state(tracker: SiamFcTracker, data: Arrays, k: int, estimate: Estimate) -> None:
    check_state(tracker.state, data["pos"][k], data["size"][k], FC_STATE)
    assert abs(tracker.search_side - data["s_x"][k]) <= FC_STATE
    np.testing.assert_allclose(estimate.box, data["out_xywh"][k], rtol=0, atol=FC_STATE)


def _check_fc_frame(tracker: SiamFcTracker, data: Arrays, k: int, rtol: float) -> None:
    trace = tracker.trace
    assert trace.sides == tuple(data["sides"][k])
    crops = _channels_first(trace.crops)
    np.testing.assert_array_equal(crops[:, :, ::32, ::32], data["pyramid_sub"][k])
    assert_close_relative(trace.scores, data["score"][k], rtol, "score")


@pytest.mark.parametrize("path", fixture_cases("trk_fc_*", FAMILY))
def test_siamfc_from_each_recorded_state_and_free(path: Path) -> None:
    data = load_npz(path)
    frames = _frames(path, data)
    if frames is None:
        _replay_fc(path, data)
        return
    architecture = ARCHITECTURES[_parts(path)[0]]
    rtol = network_tolerance(architecture)
    network = prepared_network(architecture, filler_seed(path))
    assert isinstance(network, SiamFcNet)
    config = _fc_config(data)
    tracker = SiamFcTracker(RepeatingFc(network), config, RUNTIME)
    tracker.initialize(frames[0], _initial_box(data))
    _check_template(frames[0], data, config.context, tracker.kernel, rtol)
    free = SiamFcTracker(tracker.network, config, RUNTIME)
    free.resume(tracker.snapshot())
    is_free = True
    for k, image in enumerate(frames[1:]):
        if k > 0:
            tracker.state = state_of(data["pos"][k - 1], data["size"][k - 1])
            tracker.search_side = float(data["s_x"][k - 1])
        estimate = tracker.track(image)
        _check_fc_frame(tracker, data, k, rtol)
        if _check_fc_index(tracker, data, k):
            _check_fc_state(tracker, data, k, estimate)
        if is_free:
            estimate = free.track(image)
            _check_fc_frame(free, data, k, rtol)
            is_free = _check_fc_index(free, data, k)
        if is_free:
            _check_fc_state(free, data, k, estimate)


def _replay_fc(path: Path, data: Arrays) -> None:
    """Without the frames: what follows from the recorded score maps."""
    network = RecordedFc(data)
    tracker = SiamFcTracker(network, _fc_config(data), RUNTIME)
    first, *frames = _blank(path, data)
    tracker.initialize(first, _initial_box(data))
    for k, image in enumerate(frames):
        network.row = k
        estimate = tracker.track(image)
        assert tracker.trace.sides == tuple(data["sides"][k])
        assert _check_fc_index(tracker, data, k)
        _check_fc_state(tracker, data, k, estimate)


@pytest.mark.parametrize("path", fixture_cases("trk_fc_*", FAMILY))
def test_siamfc_replayed(path: Path) -> None:
    data = load_npz(path)
    key, config = _parts(path)[0], _fc_config(data)
    tuned = SIAMFC_TUNED.get(f"siam{key}", {}).values()
    assert "_hp_" in path.stem or config in (SiamFcConfig(), *tuned)
    _replay_fc(path, data)


def _check_rpn_best(tracker: SiamRpnTracker, data: Arrays, k: int, estimate: Estimate) -> None:
    trace = tracker.trace
    assert trace.crop_side == data["x_side"][k]
    assert trace.ranking.best == tuple(data["best_index"][k])
    assert abs(estimate.confidence - data["score_at_best"][k]) <= 1e-4
    best = (slice(None), *trace.ranking.best)
    offsets = trace.maps.offsets[0].numpy()[best]  # type: ignore[index]
    largest = max(1.0, float(np.abs(data["reg_at_best"]).max()))
    np.testing.assert_allclose(offsets, data["reg_at_best"][k], rtol=0, atol=1e-4 * largest)
    check_state(tracker.state, data["pos"][k], data["size"][k], RPN_STATE)
    np.testing.assert_allclose(estimate.box, data["out_xywh"][k], rtol=0, atol=RPN_STATE)


def _check_rpn_frame(tracker: SiamRpnTracker, data: Arrays, k: int) -> None:
    trace = tracker.trace
    crop = _channels_first(trace.crop)
    np.testing.assert_array_equal(crop[:, ::16, ::16], data["x_crop_sub"][k])
    assert_close_relative(trace.maps.classification[0], data["cls"][k], name="cls")
    regression = trace.maps.regression[0, :, ::4, ::4]
    assert_close_relative(regression, data["reg_sub"][k], name="reg")


@pytest.mark.parametrize("path", fixture_cases("trk_rpn_*", FAMILY))
@torch.inference_mode()
def test_siamrpn_from_each_recorded_state_and_free(path: Path) -> None:
    data = load_npz(path)
    frames = _frames(path, data)
    if frames is None:
        _replay_rpn(path, data)
        return
    network = prepared_network(ARCHITECTURES[_parts(path)[0]], filler_seed(path))
    assert isinstance(network, UpChannelRpnNet)
    config = _rpn_config(data)
    tracker = SiamRpnTracker(RepeatingRpn(network), config, RUNTIME)
    tracker.initialize(frames[0], _initial_box(data))
    template = cut_template(tracker, frames[0], data)
    _check_template(frames[0], data, config.context, network.features(template)["layer2"], 1e-4)
    free = SiamRpnTracker(tracker.network, config, RUNTIME)
    free.resume(tracker.snapshot())
    for k, image in enumerate(frames[1:]):
        if k > 0:
            tracker.state = state_of(data["pos"][k - 1], data["size"][k - 1])
        for each in (tracker, free):
            estimate = each.track(image)
            _check_rpn_frame(each, data, k)
            _check_rpn_best(each, data, k, estimate)


def cut_template(tracker: SiamRpnTracker, image: NDArray[np.uint8], data: Arrays) -> Tensor:
    """1 x 3 x 127 x 127 BGR."""
    box, context = _initial_box(data), tracker.config.context
    side = context.round_side(context.side(box.w, box.h))
    center = box.x + box.w / 2, box.y + box.h / 2
    crop = cut_context(image, center, side, 127, mean_color(image), context)
    return torch.from_numpy(np.ascontiguousarray(_channels_first(crop)))[None].float()


def _replay_rpn(path: Path, data: Arrays) -> None:
    """Without the frames: what follows from the recorded scores and the best box."""
    network = RecordedRpn(data)
    tracker = SiamRpnTracker(network, _rpn_config(data), RUNTIME)
    first, *frames = _blank(path, data)
    tracker.initialize(first, _initial_box(data))
    for k, image in enumerate(frames):
        network.row = k
        _check_rpn_best(tracker, data, k, tracker.track(image))


@pytest.mark.parametrize("path", fixture_cases("trk_rpn_*", FAMILY))
def test_siamrpn_replayed(path: Path) -> None:
    data = load_npz(path)
    config = _rpn_config(data)
    assert "_hp_" in path.stem or config in (SIAMRPN_PLUS, *SIAMRPN_PLUS_TUNED.values())
    _replay_rpn(path, data)
