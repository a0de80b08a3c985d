from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from alpharefine.geometry.boxes import mask_to_box
from alpharefine.geometry.refine_crop import map_to_image
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.nets.registry import build_network
from alpharefine.official import OFFICIAL
from alpharefine.refinement.config import CouplingConfig, RefinerConfig
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.refinement.refiner import Refiner
from alpharefine.runtime import Runtime
from alpharefine.types import Box, Estimate
from tests.parity.fixtures import (
    MASK_PIXEL_TOLERANCE,
    Arrays,
    assert_close_relative,
    fill_network,
    fixture_cases,
    load_npz,
    sha1,
    video_initial_mask,
    video_name,
)
from tests.parity.replay import (
    BOX_TOLERANCE,
    Comparison,
    RecordedDraws,
    fixture_frames,
    initial_box,
    official_tracker,
)

PROBABILITY_TOLERANCE = 5e-3
STATISTICS_TOLERANCE = 5e-3
SUM_TOLERANCE = 1e-3
RUNTIME = Runtime(torch.device("cpu"), torch.float32)
V20 = CouplingConfig(official=OFFICIAL)
C21_DEMO = CouplingConfig(
    refine_around="base",
    feedback="refined",
    outputs=("box",),
    initial_shift=0.5,
    official=OFFICIAL,
)


@cache
def _filled_refiner_network(name: str, seed: int) -> RefineNetwork:
    network = build_network(name)
    fill_network(network, seed)
    return RUNTIME.prepare(network)


def _refined(data: Arrays, draws: RecordedDraws, network: str, config: CouplingConfig):  # type: ignore[no-untyped-def]
    refine_network = _filled_refiner_network(network, int(data["seeds"][0]))
    refiner = Refiner(refine_network, RUNTIME, RefinerConfig(official=OFFICIAL))
    base = official_tracker(data, draws)
    return base, RefinedTracker(base, refiner, config)


def _check_mask(data: Arrays, k: int, estimate: Estimate, tracker: RefinedTracker) -> None:
    mask, probability = estimate.mask, tracker.trace.refinement.probability
    assert mask is not None and probability is not None
    height, width = data["mask_hw"]
    expected = np.unpackbits(data["mask_bits"][k])[: height * width].reshape(height, width)
    assert int((mask != expected).sum()) <= MASK_PIXEL_TOLERANCE, f"mask {k}"
    assert abs(int(mask.sum()) - int(data["mask_area"][k])) <= MASK_PIXEL_TOLERANCE
    np.testing.assert_allclose(
        probability[::8, ::8], data["prob384_sub8"][k], rtol=0, atol=PROBABILITY_TOLERANCE
    )
    statistics = [probability.mean(), probability.std(ddof=1), (probability > 0.65).mean()]
    np.testing.assert_allclose(
        statistics, data["prob_stats"][k, :3], rtol=0, atol=STATISTICS_TOLERANCE
    )
    full = map_to_image(probability, tracker.trace.refinement.window, int(height), int(width))
    np.testing.assert_allclose(full.sum(), data["prob_stats"][k, 3], rtol=SUM_TOLERANCE)


@pytest.mark.parametrize("path", fixture_cases("trk2020_*"))
def test_vot2020_entry(path: Path) -> None:
    data = load_npz(path)
    name = video_name(path)
    frames = fixture_frames(name, data)
    mask = video_initial_mask(name, len(frames))
    assert sha1(mask) == str(data["init_mask_sha1"])
    target = mask_to_box(mask)
    assert target == initial_box(data)
    draws, compare = RecordedDraws(data), Comparison(data)
    base, tracker = _refined(data, draws, "ar_v20", V20)
    tracker.initialize(frames[0], target)
    compare.initialization(base, frames[0])
    assert_close_relative(tracker.refiner.kernel[0, ::16], data["ar_ref_kernel_sub"])
    for k, image in enumerate(frames[1:]):
        draws.frame = k
        estimate = tracker.track(image)
        compare.frame(k, base, tracker.trace.base)
        compare.boxes("clipped_box", tracker.trace.fed_back, k)
        compare.state(k, base)
        _check_mask(data, k, estimate, tracker)
    compare.end(base)


def _add_corner_prior(network: RefineNetwork) -> list[torch.utils.hooks.RemovableHandle]:
    """The fixtures' test-only prior on the corner logits: random heads give inverted boxes."""
    cells = torch.arange(16.0)

    def hook(corner: float):  # type: ignore[no-untyped-def]
        prior = -((cells[:, None] - corner) ** 2 + (cells[None] - corner) ** 2) / 2

        def add(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
            return output + prior

        return add

    head = network.corner_head
    return [
        head.conv5_tl.register_forward_hook(hook(4)),
        head.conv5_br.register_forward_hook(hook(12)),
    ]


@pytest.mark.parametrize("path", fixture_cases("trk256_*"))
def test_cvpr2021_demo(path: Path) -> None:
    data = load_npz(path)
    frames = fixture_frames(video_name(path), data)
    draws, compare = RecordedDraws(data), Comparison(data)
    base, tracker = _refined(data, draws, "ar_c21_r34", C21_DEMO)
    hooks = _add_corner_prior(_filled_refiner_network("ar_c21_r34", int(data["seeds"][0])))
    states: list[tuple[np.ndarray, np.ndarray, np.float32]] = []
    # The fixture records the base tracker's state before the refined box is fed back.
    set_state = base.set_state

    def recording_set_state(box: Box) -> None:
        compare.state(draws.frame, base)
        states.append((base.state.position, base.state.size, base.state.scale))
        set_state(box)

    base.set_state = recording_set_state
    try:
        tracker.initialize(frames[0], initial_box(data))
        compare.initialization(base, frames[0])
        for k, image in enumerate(frames[1:]):
            draws.frame = k
            estimate = tracker.track(image)
            compare.frame(k, base, tracker.trace.base)
            np.testing.assert_allclose(estimate.box, data["refined_box"][k], atol=BOX_TOLERANCE)
            compare.boxes("fedback_box", tracker.trace.fed_back, k)
    finally:
        for handle in hooks:
            handle.remove()
    assert len(states) == len(frames) - 1
