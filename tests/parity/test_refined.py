"""Refiner and feedback against the tracker fixtures, around their recorded base boxes.

The base tracker is replaced by its recorded answers, so that a difference is the refiner's.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from alpharefine.geometry.boxes import Box, mask_to_box
from alpharefine.geometry.refine_crop import map_to_image
from alpharefine.nets.refine import build_refine_network
from alpharefine.oddities import OFFICIAL
from alpharefine.refine import Refiner, RefinerConfig
from alpharefine.refined import RefinedTracker, RefinedTrackerConfig
from alpharefine.runtime import resolve_runtime
from alpharefine.trackers.base import Estimate, Image
from tests.parity.fixtures import (
    MASK_PIXEL_TOLERANCE,
    Arrays,
    assert_close_relative,
    fill_network,
    fixture_cases,
    load_npz,
    video_frames,
    video_initial_mask,
    video_name,
)

FRAME_STEP = 4
"""Frames compared here; the tracker-level tests compare all of them."""


class RecordedBase:
    """Answers a fixture's base boxes and keeps what is fed back."""

    def __init__(self, boxes: Any) -> None:
        self._boxes = iter(boxes)
        self.initial: Box | None = None
        self.fed_back: Box | None = None

    def initialize(self, image: Image, target: Box) -> None:
        self.initial = target

    def track(self, image: Image) -> Estimate:
        return Estimate(Box(*map(float, next(self._boxes))), None, 1.0)

    def set_state(self, box: Box) -> None:
        self.fed_back = box


def _refined_tracker(
    name: str, arrays: Arrays, config: RefinedTrackerConfig
) -> tuple[RefinedTracker, RecordedBase]:
    runtime = resolve_runtime("cpu", "float32")
    network = build_refine_network(name)
    fill_network(network, int(arrays["seeds"][0]))
    refiner = Refiner(runtime.prepare(network), runtime, RefinerConfig(oddities=OFFICIAL))
    base = RecordedBase(arrays["base_box"][::FRAME_STEP])
    return RefinedTracker(base, refiner, config), base


@pytest.mark.parametrize("path", fixture_cases("trk2020_*"))
def test_vot2020(path: Path) -> None:
    arrays = load_npz(path)
    count = len(arrays["frame_sha1"])
    frames = video_frames(video_name(path), count)
    tracker, base = _refined_tracker("ar_v20", arrays, RefinedTrackerConfig(oddities=OFFICIAL))
    target = mask_to_box(video_initial_mask(video_name(path), count))
    assert target is not None
    tracker.initialize(frames[0], target)
    assert base.initial == target
    assert_close_relative(tracker.refiner.kernel[0, ::16], arrays["ar_ref_kernel_sub"])
    for index in range(0, count - 1, FRAME_STEP):
        estimate = tracker.track(frames[index + 1])
        np.testing.assert_allclose(base.fed_back, arrays["clipped_box"][index], atol=1e-2)
        assert estimate.mask is not None
        expected = np.unpackbits(arrays["mask_bits"][index])[: estimate.mask.size]
        assert (estimate.mask.ravel() != expected).sum() <= MASK_PIXEL_TOLERANCE
        _check_probability(tracker, arrays, index)


def _check_probability(tracker: RefinedTracker, arrays: Arrays, index: int) -> None:
    refinement = tracker.trace.refinement
    crop = refinement.probability
    assert crop is not None
    np.testing.assert_allclose(crop[::8, ::8], arrays["prob384_sub8"][index], atol=5e-3)
    height, width = arrays["mask_hw"]
    full = map_to_image(crop, refinement.window, height, width)
    mean, deviation, above, total = arrays["prob_stats"][index]
    np.testing.assert_allclose([crop.mean(), crop.std()], [mean, deviation], atol=5e-3)
    assert abs((crop > 0.65).sum() - above * crop.size) <= MASK_PIXEL_TOLERANCE
    np.testing.assert_allclose(full.sum(dtype=np.float64), total, rtol=1e-3)


def _add_corner_prior(network: nn.Module) -> None:
    """The fixtures' prior on the corner logits, which keeps random weights from inverted boxes."""
    cells = torch.arange(16.0)
    for corner, peak in (("tl", 4), ("br", 12)):
        distance = (cells[:, None] - peak) ** 2 + (cells - peak) ** 2

        def add_prior(
            module: nn.Module, inputs: Any, logits: Tensor, prior: Tensor = -distance / 2
        ) -> Tensor:
            return logits + prior

        network.get_submodule(f"corner_head.conv5_{corner}").register_forward_hook(add_prior)


@pytest.mark.parametrize("path", fixture_cases("trk256_*"))
def test_cvpr2021_demo(path: Path) -> None:
    arrays = load_npz(path)
    frames = video_frames(video_name(path), len(arrays["frame_sha1"]))
    config = RefinedTrackerConfig(
        refine_around="base", feedback="refined", initial_shift=0.5, oddities=OFFICIAL
    )
    tracker, base = _refined_tracker("ar_c21_r34", arrays, config)
    _add_corner_prior(tracker.refiner.network)
    target = Box(*map(float, arrays["init_box"]))
    tracker.initialize(frames[0], target)
    assert base.initial == target._replace(x=target.x + 0.5, y=target.y + 0.5)
    for index in range(0, len(frames) - 1, FRAME_STEP):
        estimate = tracker.track(frames[index + 1])
        np.testing.assert_allclose(estimate.box, arrays["refined_box"][index], atol=1e-2)
        np.testing.assert_allclose(base.fed_back, arrays["fedback_box"][index], atol=1e-2)
