"""ECO: one free run from the first frame on, with the recorded first projections."""

from functools import cache
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from alpharefine.nets.eco.network import EcoNet
from alpharefine.nets.registry import build_network
from alpharefine.official import OFFICIAL
from alpharefine.trackers.eco import tracker as eco_tracker
from alpharefine.trackers.eco.classifier import JointProblem, principal_directions
from alpharefine.trackers.eco.config import EcoConfig
from alpharefine.trackers.eco.tracker import EcoTracker
from alpharefine.types import Estimate
from tests.parity.fixtures import (
    Arrays,
    assert_close_relative,
    check_manifest,
    filler_seed,
    fixture_cases,
    load_npz,
    needs_shared,
    network_input,
    video_name,
)
from tests.parity.online.common import FAMILY, filled_network, lengths
from tests.parity.replay import RUNTIME, RecordedDraws, fixture_frames, initial_box

CONFIG = EcoConfig(official=OFFICIAL)
# The published order has rotations before blurs.
ORDER = [*range(6), *range(18, 23), *range(6, 18), *range(23, 30)]
"""Number of each of our first frame's samples in the fixtures."""


@cache
def filled_eco(seed: int) -> EcoNet:
    return cast(EcoNet, filled_network("eco", seed))


@needs_shared
def test_manifest() -> None:
    check_manifest(build_network("eco"), "eco_resnet18_vggm", ("layer4.", "fc."), FAMILY)


@pytest.mark.parametrize("path", fixture_cases("net_atom_eco_*", FAMILY))
@torch.inference_mode()
def test_network(path: Path) -> None:
    data, network = load_npz(path), filled_eco(filler_seed(path))
    maps = [network.maps(network_input(crop)) for crop in data["crops_u8"]]
    shallow, deep = (torch.cat(part) for part in zip(*maps, strict=True))
    assert_close_relative(shallow[:, ::16, ::4, ::4], data["eco_vggconv1_sub"], 1e-5, "shallow")
    assert_close_relative(deep[:, ::16], data["eco_layer3_sub"], 1e-5, "deep")


class RecordedDropout(RecordedDraws):
    """The dropout of both features, in order."""

    def shifts(self, count: int) -> Tensor:
        assert count == 0
        return torch.zeros(0, 2)

    def dropout_keep(self, copies: int, channels: int, probability: float) -> Tensor:
        keep = self._data["init_dropout_keep0" if channels == 96 else "init_dropout_keep1"]
        assert (copies, channels) == keep.shape
        return torch.from_numpy(keep).float()


class Recorder:
    """The features of the first frame and the steps of both of its problems."""

    def __init__(self, data: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
        self._data = data
        self.features: list[Tensor] = []
        self.problems: list[JointProblem] = []
        self.errors: list[tuple[float, float, float]] = []
        self.solved: list[tuple[Tensor, Tensor]] = []
        monkeypatch.setattr(eco_tracker, "principal_directions", self._directions)
        step = JointProblem.step
        monkeypatch.setattr(JointProblem, "step", lambda *args: self._step(step, *args))

    def _directions(self, features: Tensor, count: int) -> Tensor:
        self.features.append(features)
        official = torch.from_numpy(self._data[f"P{len(self.features) - 1}_init"])
        ours = principal_directions(features, count)
        assert_close_relative((ours * official).sum(0).abs(), np.ones(count), 1e-5)
        return official

    def _step(
        self, step, problem: JointProblem, target_filter: Tensor, projection: Tensor, descents: int
    ) -> tuple[Tensor, Tensor]:
        found = step(problem, target_filter, projection, descents)
        self.errors.append(problem.errors(*found))
        if not self.problems or self.problems[-1] is not problem:
            self.problems.append(problem)
        self.solved.append(found)
        return found


@lengths
@pytest.mark.parametrize("path", fixture_cases("eco_*", FAMILY))
@torch.inference_mode()
def test_every_recorded_array(
    path: Path, count: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_npz(path)
    recorder = Recorder(data, monkeypatch)
    tracker = EcoTracker(filled_eco(filler_seed(path)), CONFIG, RUNTIME, RecordedDropout(data))
    frames = fixture_frames(video_name(path), data)
    tracker.initialize(frames[0], initial_box(data))
    _check_sizes(tracker, data)
    _check_first_frame(tracker, recorder, data)
    for k, image in enumerate(frames[1 : None if count is None else 1 + count]):
        before = tracker.state
        np.testing.assert_allclose(before.scale, data["scale_before"][k], rtol=1e-5)
        _check_frame(tracker, data, k, tracker.track(image))


def _check_sizes(tracker: EcoTracker, data: Arrays) -> None:
    state = tracker.state
    assert_close_relative(state.position, data["init_pos"], 1e-6)
    assert_close_relative(np.asarray(state.scale), data["init_target_scale"], 1e-6)
    assert_close_relative(tracker.base_size, data["base_target_sz"], 1e-6)
    np.testing.assert_array_equal(np.full(2, tracker.sample_size), data["img_sample_sz"])
    for number, filters in enumerate(tracker.filters):
        spectra = filters.fixed.spectra
        cells, rows = len(spectra.window), len(spectra.label)
        np.testing.assert_array_equal(np.full(2, cells), data["feature_sz"][number])
        np.testing.assert_array_equal(np.full(2, rows), data["filter_sz"][number])
        assert_close_relative(spectra.penalty, data[f"reg{number}"][0, 0], 1e-5, "penalty")
        assert_close_relative(spectra.label, data[f"yf{number}"][0, 0], 1e-5, "label")
        y = torch.view_as_complex(torch.from_numpy(data[f"interp{number}y"]))[0, 0]
        x = torch.view_as_complex(torch.from_numpy(data[f"interp{number}x"]))[0, 0]
        assert_close_relative(
            torch.view_as_real(spectra.interpolation), torch.view_as_real(y * x), 1e-5, "interp"
        )
    window = tracker.filters[1].fixed.spectra.window
    assert_close_relative(window, data["window1"][0, 0], 1e-5, "window")


def _check_first_frame(tracker: EcoTracker, recorder: Recorder, data: Arrays) -> None:
    for number, (slices, part) in enumerate(
        ((np.s_[::16, ::4, ::4], 97), (np.s_[::32, ::2, ::2], 97))
    ):
        features = recorder.features[number][(slice(None), *slices)]
        expected = data[f"init_feat{number}_sub"][ORDER]
        assert_close_relative(features, expected, 1e-5, f"init_feat{number}")
        scale, projection_scale = recorder.problems[number].scale
        assert_close_relative(scale.flatten()[::part], data[f"diagM{number}_sub"], 1e-5, "diagM")
        np.testing.assert_allclose(projection_scale, data["diagP"][number], rtol=1e-5)
        filters = tracker.filters[number]
        assert_close_relative(filters.fixed.projection, data[f"P{number}"], 1e-4, f"P{number}")
        found = torch.view_as_real(filters.target_filter[::4, ::2, ::2])
        assert_close_relative(found, data[f"init_filter{number}_sub"], 1e-3, f"filter{number}")
    steps = len(recorder.errors) // 2
    errors = np.array(recorder.errors[:steps]) + np.array(recorder.errors[steps:])
    np.testing.assert_allclose(errors, data["gn_sq_residuals_data_reg_proj"], rtol=1e-4)


def _check_frame(tracker: EcoTracker, data: Arrays, k: int, estimate: Estimate) -> None:
    trace, state = tracker.trace, tracker.state
    np.testing.assert_allclose(trace.places[2].center, data["sample_pos"][k], rtol=0, atol=1e-2)
    assert trace.best_scale == data["scale_ind"][k]
    best = trace.scores[trace.best_scale]
    assert_close_relative(trace.scores.max((1, 2)), data["max_per_scale"][k], 1e-4, f"max {k}")
    assert_close_relative(best[::8, ::8], data["score_sub"][k], 1e-4, f"score {k}")
    np.testing.assert_array_equal(trace.best_position, data["score_argmax"][k])
    np.testing.assert_allclose(trace.translation, data["translation"][k], rtol=0, atol=1e-2)
    np.testing.assert_allclose(state.position, data["pos_after"][k], rtol=0, atol=1e-2)
    np.testing.assert_allclose(state.size, data["size_after"][k], rtol=0, atol=1e-2)
    np.testing.assert_allclose(state.scale, data["scale_after"][k], rtol=1e-5)
    np.testing.assert_array_equal(trace.slots, data["replace_ind"][k])
    for number, filters in enumerate(tracker.filters):
        weights = filters.memory.weights[:60]
        assert_close_relative(weights, data[f"sw{number}"][k], 1e-5, f"sw{number} {k}")
        norm = torch.view_as_real(filters.target_filter).norm()
        assert_close_relative(norm, data[f"filter{number}_norm"][k], 1e-3, f"norm{number} {k}")
    found = torch.view_as_real(tracker.filters[1].target_filter[::16, ::2, ::2])
    assert_close_relative(found, data["filter1_sub"][k], 1e-3, f"filter1 {k}")
    np.testing.assert_allclose(estimate.box, data["base_box"][k], rtol=0, atol=1e-2)
