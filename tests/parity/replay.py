"""Running the base tracker with a fixture's draws and comparing every recorded array."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.registry import build_network
from alpharefine.official import OFFICIAL
from alpharefine.runtime import Runtime
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.online.localization import Flag
from alpharefine.types import Box, Estimate
from tests.parity.fixtures import (
    Arrays,
    assert_close_relative,
    fill_network,
    relative_tolerance,
    sha1,
    video_frames,
)

RUNTIME = Runtime(torch.device("cpu"), torch.float32)
FLAGS = (Flag.NORMAL, Flag.HARD_NEGATIVE, Flag.UNCERTAIN, Flag.NOT_FOUND)
BOX_TOLERANCE = 1e-2
IOU_TOLERANCE = 1e-5
DEFAULT_RATE = 0.01


class RecordedDraws:
    """The random draws of a fixture, in order."""

    def __init__(self, data: Arrays) -> None:
        self._data = data
        self.frame = 0

    def snapshot(self) -> int:
        return self.frame

    def resume(self, snapshot: int) -> None:
        self.frame = snapshot

    def shifts(self, count: int) -> Tensor:
        assert count == len(self._data["init_rand"])
        return torch.from_numpy(self._data["init_rand"])

    def dropout_keep(self, copies: int, channels: int, probability: float) -> Tensor:
        assert (copies, channels) == self._data["init_dropout_keep"].shape
        return torch.from_numpy(self._data["init_dropout_keep"]).float()

    def normal(self, shape: tuple[int, ...], std: float) -> Tensor:
        key = "init_proj" if len(shape) == 2 else "init_filter0"
        assert shape == self._data[key].shape
        return torch.from_numpy(self._data[key])

    def boxes(self, count: int) -> Tensor:
        assert not np.isnan(self._data["rand_boxes"][self.frame]).any()
        return torch.from_numpy(self._data["rand_boxes"][self.frame])


@cache
def filled_dimp(name: str, seed: int) -> DimpNet:
    network = build_network(name)
    fill_network(network, seed)
    prepared = RUNTIME.prepare(network)
    assert isinstance(prepared, DimpNet)
    return prepared


def official_tracker(
    data: Arrays,
    draws: RecordedDraws,
    network: str = "super_dimp",
    config: DimpConfig = DimpConfig(),  # noqa: B008
) -> DimpTracker:
    """The base tracker in parity mode with the fixture's weights and draws."""
    filled = filled_dimp(network, int(data["seeds"][0]))
    return DimpTracker(filled, replace(config, official=OFFICIAL), RUNTIME, draws)


def fixture_frames(name: str, data: Arrays) -> list[NDArray[np.uint8]]:
    """Frames of a fixture's video, verified by their checksums."""
    frames = video_frames(name, len(data["frame_sha1"]))
    for frame, digest in zip(frames, data["frame_sha1"], strict=True):
        assert sha1(frame) == digest
    return frames


def initial_box(data: Arrays) -> Box:
    return Box(*(float(v) for v in data["init_box"]))


class Comparison:
    """Compares only what a fixture records; each method covers one moment of a run.

    Args:
        data: the fixture.
        amplified: tolerance of what an optimized filter amplifies; None is the usual one.
    """

    def __init__(self, data: Arrays, amplified: float | None = None) -> None:
        self._data = data
        self._amplified = amplified

    def boxes(self, key: str, actual: Any, frame: int | None = None) -> None:
        if key in self._data:
            expected = self._data[key] if frame is None else self._data[key][frame]
            np.testing.assert_allclose(
                actual, expected, rtol=0, atol=BOX_TOLERANCE, err_msg=f"{key} {frame}"
            )

    def relative(self, key: str, actual: Any, frame: int | None = None) -> None:
        if key in self._data:
            expected = self._data[key] if frame is None else self._data[key][frame]
            tolerance = relative_tolerance(key)
            if self._amplified is not None and tolerance > relative_tolerance(""):
                tolerance = self._amplified
            assert_close_relative(np.asarray(actual), expected, tolerance, f"{key} {frame}")

    def exact(self, key: str, actual: Any, frame: int | None = None) -> None:
        if key in self._data:
            expected = self._data[key] if frame is None else self._data[key][frame]
            np.testing.assert_array_equal(actual, expected, err_msg=f"{key} {frame}")

    def initialization(self, tracker: DimpTracker, image: NDArray[np.uint8]) -> None:
        memory, state = tracker.memory, tracker.state
        features, boxes, _ = memory.samples()
        self.relative("init_pos", state.position)
        self.relative("init_target_scale", state.scale)
        self.relative("base_target_sz", tracker.base_size)
        self.exact("init_sample_pos", np.rint(state.position))
        self.relative("init_sample_scale", state.scale)
        # The official tracker computes these bounds and never uses them.
        bounds = [(10 / tracker.base_size).max(), (image.shape[:2] / tracker.base_size).min()]
        self.relative("min_max_scale_factor", bounds)
        self.exact("init_shifts", tracker.init_shifts)
        self.boxes("init_mem_boxes", boxes)
        self.relative("init_sample_weights", memory.weights)
        self.relative("init_filter", tracker.target_filter)
        self.relative("init_filter_norm", tracker.target_filter.norm())
        self.relative("iou_mod3", tracker.modulation.fine.flatten())
        self.relative("iou_mod4", tracker.modulation.coarse.flatten())
        self.relative("init_clf_feat_sub", features[:, ::32])

    def frame(self, k: int, tracker: DimpTracker, estimate: Estimate) -> None:
        """Everything up to the base tracker's answer, before any feedback."""
        trace, found = tracker.trace, tracker.trace.localization
        assert found.flag is FLAGS[self._data["flag"][k]], f"flag {k}"
        self.exact("sample_coord", trace.patch.coordinates, k)
        self.boxes("sample_pos", trace.patch.center, k)
        self.relative("sample_scale", trace.patch.scale, k)
        self.relative("score_map", trace.scores, k)
        self.boxes("translation", found.translation, k)
        nothing = np.full((10, 4), np.nan)
        candidates = trace.candidates
        self.boxes("iou_init_boxes", nothing if candidates is None else trace.start_boxes, k)
        self.boxes("iou_out_boxes", nothing if candidates is None else candidates.boxes, k)
        np.testing.assert_allclose(
            nothing[:, 0] if candidates is None else candidates.values,
            self._data["iou_out"][k],
            rtol=0,
            atol=IOU_TOLERANCE,
        )
        stored = trace.training_target is not None
        self.boxes("upd_box", trace.training_target if stored else nothing[0], k)
        # The fixtures write the default rate as -1.
        rate = -1 if trace.learning_rate == DEFAULT_RATE else trace.learning_rate
        self.exact("upd_lr", np.float32(rate if stored else np.nan), k)
        self.exact("num_stored", tracker.memory.stored, k)
        self.relative("sample_weights", tracker.memory.weights, k)
        self.relative("filter_norm", tracker.target_filter.norm(), k)
        self.relative("filter_sub", tracker.target_filter[0, ::16], k)
        self.boxes("base_box", estimate.box, k)

    def state(self, k: int, tracker: DimpTracker) -> None:
        self.boxes("pos_after", tracker.state.position, k)
        self.boxes("size_after", tracker.state.size, k)
        self.relative("scale_after", tracker.state.scale, k)

    def run(
        self, tracker: DimpTracker, draws: RecordedDraws, video: str, count: int | None = None
    ) -> None:
        """A free run without feedback over the fixture's frames, or the first `count` tracked."""
        frames = fixture_frames(video, self._data)[: None if count is None else 1 + count]
        tracker.initialize(frames[0], initial_box(self._data))
        self.initialization(tracker, frames[0])
        for k, image in enumerate(frames[1:]):
            draws.frame = k
            estimate = tracker.track(image)
            self.frame(k, tracker, estimate)
            self.state(k, tracker)
        if count is None:
            self.end(tracker)

    def end(self, tracker: DimpTracker) -> None:
        self.boxes("last_mem_boxes", tracker.memory.targets)
