"""RT-MDNet. Its training is exact only up to ties.

The hard negatives are ordered by their scores and dropout goes by rows: two candidates whose scores
differ by rounding exchange their masks, and everything after differs. So the run is compared with
recorded scores in place of its own, and the first training once its ties are found.
"""

import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.nets.mdnet.network import MdNet
from alpharefine.nets.registry import build_network
from alpharefine.official import OFFICIAL
from alpharefine.ops.roi_sampling import adaptive_roi, adaptive_samples, sample_region
from alpharefine.trackers.rtmdnet import first_frame
from alpharefine.trackers.rtmdnet import tracker as rtmdnet
from alpharefine.trackers.rtmdnet.classifier import Classifier, Trainer
from alpharefine.trackers.rtmdnet.config import RtMdNetConfig
from alpharefine.trackers.rtmdnet.samples import Boxes, draw_boxes
from alpharefine.trackers.rtmdnet.tracker import RtMdNetTracker
from alpharefine.types import Estimate
from tests.parity.fixtures import (
    Arrays,
    assert_close_relative,
    check_manifest,
    fixture_cases,
    load_npz,
    needs_shared,
    tool,
    video_name,
)
from tests.parity.online.common import FAMILY, filled_network, lengths
from tests.parity.replay import RUNTIME, fixture_frames, initial_box

PREFIX = "layers."
"""Of the shared layers' names in the fixtures' manifest and filler, not in the authors' file."""
BRANCH = "branches.0.1"


@cache
def filled(seed: int) -> MdNet:
    return cast(MdNet, filled_network("rtmdnet", seed, PREFIX))


@needs_shared
def test_manifest() -> None:
    check_manifest(build_network("rtmdnet"), "rt_mdnet", ("branches.",), FAMILY, PREFIX)


@pytest.mark.parametrize("path", fixture_cases("rtmd_roi*", FAMILY))
def test_regions(path: Path) -> None:
    data = load_npz(path)
    features, rois = torch.from_numpy(data["feat"]), torch.from_numpy(data["rois"])
    for name, swapped in (("ar_bug", True), ("fixed", False)):
        samples = adaptive_samples(features, rois, 1 / 8, 7, swapped)
        assert_close_relative(samples, data[f"ada_{name}"], 1e-5, name)
        pooled = adaptive_roi(features, rois, 1 / 8, 3, swapped)
        assert_close_relative(pooled, data[f"adamax_{name}"].reshape(len(rois), -1), 1e-5, name)
    number, *corners = data["plain_roi"][0]
    size = data["plain_out"].shape[2:]
    found = sample_region(features[int(number)], torch.tensor(corners), size)
    assert_close_relative(found, data["plain_out"][0], 1e-5)


LOSS_TOLERANCE = 5e-6
TIE = 3e-6


class Recorder:
    """A tracker in parity mode, and what passes through its parts.

    Args:
        path: of the fixture.
        data: of it.
        monkeypatch: puts the recording into the parts.
        learns: False leaves out what takes long and is not compared: the small scenes' maps, and
            trainings, but for their draws.
    """

    def __init__(
        self, path: Path, data: Arrays, monkeypatch: pytest.MonkeyPatch, learns: bool
    ) -> None:
        filler, self.runs = (int(v) for v in data["seeds"])
        official = OFFICIAL
        if path.stem.endswith("_fixedada"):
            official = replace(OFFICIAL, swapped_roi_columns=False)
        config = RtMdNetConfig(seed=1000 * self.runs, official=official)
        self.tracker = tracker = RtMdNetTracker(filled(filler), config, RUNTIME)
        fill = tool("online/filler2").fill
        tracker.branch = tuple(
            torch.from_numpy(fill(f"{BRANCH}.{part}", shape, filler))
            for part, shape in (("weight", (2, 512)), ("bias", (2,)))
        )
        self.boxes: list[Boxes] = []
        self.crops: list[Tensor] = []
        self.maps: list[Tensor] = []
        self.masks: list[Tensor] = []
        self.trained: list[tuple[Tensor, Tensor]] = []
        self.scores: NDArray[np.float32] | None = None
        for module in (first_frame, rtmdnet):
            monkeypatch.setattr(module, "draw_boxes", self._recorded(draw_boxes, self.boxes))
        monkeypatch.setattr(tracker, "_cut", self._recorded(tracker._cut, self.crops))
        convolve = tracker._convolve if learns else self._only_single(tracker._convolve)
        monkeypatch.setattr(tracker, "_convolve", self._recorded(convolve, self.maps))
        if not learns:
            monkeypatch.setattr(Trainer, "_hardest", lambda *_: torch.zeros(0, 0))
            monkeypatch.setattr(Trainer, "_step", lambda _, classifier, *rows: classifier)
        else:
            step = Trainer._step
            monkeypatch.setattr(Trainer, "_step", lambda *args: self._resolved(step, *args))
        self._losses = data["init_losses"]
        monkeypatch.setattr(Trainer, "_masks", self._recorded_masks(Trainer._masks))
        monkeypatch.setattr(Trainer, "train", self._recorded_train(Trainer.train))
        self.own_scores: Tensor | None = None
        monkeypatch.setattr(tracker, "_scores", self._forced(tracker._scores))

    def _forced(self, function: Any) -> Any:
        def scoring(features: Tensor) -> Tensor:
            self.own_scores = function(features)
            return self.own_scores if self.scores is None else torch.from_numpy(self.scores)

        return scoring

    @staticmethod
    def _only_single(convolve: Any) -> Any:
        def convolving(crops: Tensor) -> Tensor:
            return convolve(crops) if len(crops) == 1 else torch.zeros(len(crops), 512, 15, 15)

        return convolving

    @staticmethod
    def _recorded(function: Any, into: list[Any]) -> Any:
        def recording(*args: Any) -> Any:
            into.append(function(*args))
            return into[-1]

        return recording

    def _recorded_masks(self, function: Any) -> Any:
        def recording(*args: Any) -> Any:
            found = function(*args)
            self.masks.extend(found)
            return found

        return recording

    def _recorded_train(self, function: Any) -> Any:
        def recording(trainer: Trainer, classifier: Any, *rows: Tensor) -> Any:
            self.trained.append((rows[0], rows[1]))
            return function(trainer, classifier, *rows)

        return recording

    def _resolved(
        self, step: Any, trainer: Trainer, classifier: Classifier, *rows: Tensor
    ) -> Classifier:
        """A step of the first frame's training that has the recorded loss, if ties are the cause.

        Which of two negatives with equal scores comes first decides about their dropout.
        """
        dropped, number, before = (
            self.tracker.draws.dropped,
            len(trainer.losses),
            trainer.velocities,
        )
        state = dropped.get_state()
        found = step(trainer, classifier, *rows)
        positive, negative = rows
        if hasattr(self.tracker, "memory") or self._is_recorded(trainer, number):
            return found
        own = found, trainer.velocities, trainer.losses[number], dropped.get_state()
        scores = classifier.scores(negative)[:, 1]
        for first in (scores[:-1] - scores[1:] < TIE).nonzero()[:, 0].tolist():
            order = list(range(len(negative)))
            order[first : first + 2] = first + 1, first
            trainer.velocities, trainer.losses = before, trainer.losses[:number]
            dropped.set_state(state)
            found = step(trainer, classifier, positive, negative[order])
            if self._is_recorded(trainer, number):
                return found
        found, trainer.velocities, trainer.losses[number], state = own
        dropped.set_state(state)
        return found

    def _is_recorded(self, trainer: Trainer, number: int) -> bool:
        return abs(trainer.losses[number] - float(self._losses[number])) <= LOSS_TOLERANCE

    def seed(self, frame: int) -> None:
        draws, seed = self.tracker.draws, 1000 * self.runs + frame
        draws.places.seed(seed)
        draws.dropped.manual_seed(seed)
        self.boxes.clear()
        self.trained.clear()


@lengths
@pytest.mark.parametrize("path", fixture_cases("rtmd_*_w*", FAMILY))
def test_every_recorded_array(
    path: Path, count: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load_npz(path)
    run = Recorder(path, data, monkeypatch, learns=count is None)
    frames = fixture_frames(video_name(path), data)
    run.tracker.initialize(frames[0], initial_box(data))
    _check_samples(run, data)
    resolved = count is None and _check_training(run, data)
    _check_draws(run, data)
    for k, image in enumerate(frames[1 : None if count is None else 1 + count]):
        run.seed(k + 1)
        run.scores = data["scores"][k]
        estimate = run.tracker.track(image)
        _check_frame(run, data, k, estimate)
        if count is None:
            _check_answer(run, data, k, estimate)
        if resolved and k == 0:
            assert_close_relative(run.own_scores, data["scores"][k], 1e-4, "own scores")


def _check_samples(run: Recorder, data: Arrays) -> None:
    np.testing.assert_array_equal([len(boxes) for boxes in run.boxes], data["n_gen"])
    first = [boxes[0] for boxes in run.boxes if len(boxes)]
    np.testing.assert_allclose(first, data["gen_first"], rtol=0, atol=1e-3)
    for key, boxes in zip(("pos0", "neg0", "bbreg0"), run.boxes, strict=False):
        np.testing.assert_allclose(boxes[:8], data[key], rtol=0, atol=1e-3)
    crop = run.crops[0][0]
    np.testing.assert_array_equal(crop.shape[1:], data["crop0_hw"])
    assert_close_relative(crop[:, ::16, ::16] - 128, data["crop0_sub"], 1e-5, "crop0")
    assert_close_relative(run.maps[0][:, ::32], data["map0_sub"], 1e-5, "map0")
    positive, negative = run.trained[0]
    np.testing.assert_array_equal((len(positive), len(negative)), data["init_train_counts"])
    assert_close_relative(positive[:16, ::16], data["pos_feats_sub"], 1e-5, "positive")
    assert_close_relative(negative[:16, ::16], data["neg_feats_sub"], 1e-5, "negative")


def _check_training(run: Recorder, data: Arrays) -> bool:
    """Whether every tie was found; the parameters are no part of that search."""
    tracker = run.tracker
    dropped = np.unpackbits(data["drop_bits"])
    shapes = [tuple(mask.shape) for mask in run.masks[:8]]
    np.testing.assert_array_equal(shapes, data["drop_shapes"])
    kept = np.concatenate([mask.flatten().numpy() > 0 for mask in run.masks[:8]])
    assert not (kept & (dropped[: len(kept)] == 0)).any()
    losses, official = np.array(tracker.first_trainer.losses), data["init_losses"]
    np.testing.assert_allclose(losses[:10], official[:10], rtol=0, atol=LOSS_TOLERANCE)
    np.testing.assert_allclose(losses, official, rtol=0, atol=5e-2)
    resolved = bool((abs(losses - official) <= LOSS_TOLERANCE).all())
    if resolved:
        parameters = tracker.classifier.parameters
        assert_close_relative(parameters[4], data["fc6_w"], 1e-5, "fc6_w")
        assert_close_relative(parameters[0][::32, ::64], data["fc4_w_sub"], 1e-5, "fc4_w")
    regression = tracker.regression
    assert regression is not None
    assert_close_relative(regression.weights[::16], data["ridge_W_sub"], 1e-4, "ridge_W")
    assert_close_relative(regression.offsets, data["ridge_b"], 1e-4, "ridge_b")
    return resolved


def _check_draws(run: Recorder, data: Arrays) -> None:
    _, key, position, *_ = run.tracker.draws.places.get_state()
    assert position == data["np_state_pos"]
    assert hashlib.sha1(key.tobytes()).hexdigest() == data["np_state_sha"]


def _check_frame(run: Recorder, data: Arrays, k: int, estimate: Estimate) -> None:
    tracker, trace = run.tracker, run.tracker.trace
    np.testing.assert_allclose(trace.candidates[::16], data["samples"][k], rtol=0, atol=1e-3)
    np.testing.assert_array_equal(trace.scene.size[::-1], data["scene_crop_hw"][k])
    assert_close_relative(trace.features[:4, ::16], data["sample_feats_sub"][k], 1e-5, f"{k}")
    assert trace.best is not None
    np.testing.assert_allclose(tracker.target, data["target_box"][k], rtol=0, atol=1e-3)
    nothing = np.full((5, 4), np.nan)
    found = trace.moved is not None
    np.testing.assert_allclose(
        trace.best if found else nothing, data["bb_in"][k], rtol=0, atol=1e-3
    )
    assert estimate.lost is not found
    assert tracker._shift == data["trans_f"][k]
    drawn = [len(boxes) for boxes in run.boxes]
    np.testing.assert_array_equal([*drawn, 0, 0][:3], data["n_gen_f"][k])
    is_trained = not np.isnan(data["upd_losses"][k]).all()
    assert (trace.trained is not None) == is_trained
    if is_trained:
        np.testing.assert_array_equal(trace.trained, data["upd_counts"][k])
    memory = tracker.memory
    entries = len(memory.positive), len(memory.negative)
    np.testing.assert_array_equal(entries, data["n_long_short"][k])
    assert tracker.draws.places.get_state()[2] == data["np_state_pos_f"][k]


def _check_answer(run: Recorder, data: Arrays, k: int, estimate: Estimate) -> None:
    moved = run.tracker.trace.moved
    nothing = np.full((5, 4), np.nan)
    np.testing.assert_allclose(
        nothing if moved is None else moved, data["bb_out"][k], rtol=0, atol=1e-2
    )
    np.testing.assert_allclose(estimate.box, data["base_box"][k], rtol=0, atol=1e-2)
