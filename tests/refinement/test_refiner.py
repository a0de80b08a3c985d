from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alpharefine.errors import UsageError
from alpharefine.nets.refine.network import RefineNetwork
from alpharefine.official import CORRECTED
from alpharefine.refinement.config import RefinerConfig
from alpharefine.refinement.refiner import Refiner
from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.types import Box
from tests.nets.test_refine_networks import SMALL
from tests.refinement.stubs import SIZE, FixedNetwork

CPU = resolve_runtime("cpu")
IMAGE = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
TARGET = Box(40, 30, 20, 16)


def _fixed(corners: tuple[float, float, float, float], **config: object) -> Refiner:
    network = cast(RefineNetwork, FixedNetwork(corners))
    refiner = Refiner(network, CPU, replace(RefinerConfig(), **config))  # type: ignore[arg-type]
    refiner.initialize(IMAGE, TARGET)
    return refiner


def _real(runtime: Runtime = CPU) -> Refiner:
    torch.manual_seed(3)
    return Refiner(runtime.prepare(SMALL.build()), runtime)


def _probability(refiner: Refiner, box: Box) -> NDArray[np.float32]:
    refiner.initialize(IMAGE, TARGET)
    probability = refiner.refine(IMAGE, box).probability
    assert probability is not None and probability.dtype == np.float32
    assert probability.shape == (SIZE, SIZE)
    return probability


def test_box_and_mask_come_back_to_the_image() -> None:
    quarter = SIZE / 4
    refiner = _fixed((quarter, quarter, 3 * quarter, 3 * quarter))
    refinement = refiner.refine(IMAGE, Box(50, 40, 10, 12))
    assert refinement.box is not None and refinement.mask is not None
    np.testing.assert_allclose(refinement.box, (50, 40, 10, 12))
    expected = np.zeros((90, 120), np.uint8)
    expected[34:58, 45:55] = 1
    np.testing.assert_array_equal(refinement.mask, expected)


@pytest.mark.parametrize("outputs", [{"box"}, {"mask"}, {"box", "mask"}])
def test_only_what_is_asked_for(outputs: set[str]) -> None:
    refinement = _fixed((10.0, 10.0, 40.0, 40.0)).refine(IMAGE, TARGET, outputs)
    assert (refinement.box is not None) == ("box" in outputs)
    assert (refinement.mask is not None) == ("mask" in outputs)
    assert (refinement.probability is not None) == ("mask" in outputs)


@pytest.mark.parametrize(
    "corners",
    [
        (40.0, 10.0, 20.0, 50.0),
        (10.0, 40.0, 50.0, 20.0),
        (10.0, 10.0, 12.0, 50.0),
        (float("nan"), 10.0, 40.0, 40.0),
        (10.0, 10.0, float("inf"), 40.0),
    ],
)
def test_unusable_corners_are_no_box_unless_unguarded(
    corners: tuple[float, float, float, float],
) -> None:
    assert _fixed(corners).refine(IMAGE, TARGET).box is None
    unguarded = _fixed(corners, official=replace(CORRECTED, unguarded_corners=True))
    assert unguarded.refine(IMAGE, TARGET).box is not None


def test_mask_is_the_probability_above_the_threshold() -> None:
    network = CPU.prepare(_real().network)
    box = Box(20.2, 13.7, SIZE / 2, SIZE / 2)
    halfway = _probability(Refiner(network, CPU), box)
    config = RefinerConfig(mask_threshold=float(np.median(halfway)))
    refiner = Refiner(network, CPU, config)
    refiner.initialize(IMAGE, TARGET)
    mask = refiner.refine(IMAGE, box).mask
    expected = np.zeros((90, 120), np.uint8)
    expected[0:62, 4:68] = halfway[2:] > np.float32(config.mask_threshold)
    assert mask is not None and mask.dtype == np.uint8 and 0.4 < expected[0:62, 4:68].mean() < 0.6
    np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(("left", "is_restored"), [(0.05, False), (0.6, True)])
def test_a_missed_mask_is_restored_in_its_box(left: float, is_restored: bool) -> None:
    """The network's mask is the left half of the crop."""
    corners = (left * SIZE, 0.25 * SIZE, (left + 0.35) * SIZE, 0.75 * SIZE)
    plain = _fixed(corners).refine(IMAGE, TARGET)
    restored = _fixed(corners, least_fill=0.02, restored_fill=0.5).refine(IMAGE, TARGET)
    assert plain.mask is not None and restored.mask is not None and restored.box is not None
    assert np.array_equal(plain.mask, restored.mask) != is_restored
    x, y, w, h = restored.box
    if is_restored:
        rows, columns = np.nonzero(restored.mask)
        assert x - 1 <= columns.min() and columns.max() <= x + w
        assert y - 1 <= rows.min() and rows.max() <= y + h
        assert restored.mask.sum() >= 0.4 * w * h


def test_initializing_again_forgets_everything() -> None:
    refiner = _real()
    first = _probability(refiner, TARGET)
    refiner.initialize(IMAGE[::-1].copy(), Box(5, 6, 30, 12))
    other = refiner.refine(IMAGE, TARGET).probability
    assert not np.array_equal(other, first)
    np.testing.assert_array_equal(_probability(refiner, TARGET), first)


@pytest.mark.parametrize("box", [Box(-500, 10, 20, 20), Box(110, 80, 60, 70), Box(5, 5, 0.4, 0.4)])
def test_boxes_beyond_the_border_are_refined(box: Box) -> None:
    refiner = _real()
    refiner.initialize(IMAGE, TARGET)
    mask = refiner.refine(IMAGE, box, {"mask"}).mask
    assert mask is not None and mask.shape == (90, 120)


def test_reduced_precision_stays_close() -> None:
    exact, reduced = _real(), _real(resolve_runtime("cpu", "bfloat16"))
    a, b = (_probability(refiner, TARGET) for refiner in (exact, reduced))
    np.testing.assert_allclose(a, b, atol=0.05)


def test_misuse_is_refused() -> None:
    with pytest.raises(RuntimeError, match="initialize the refiner"):
        _real().refine(IMAGE, TARGET)
    with pytest.raises(UsageError, match="cannot crop"):
        _real().initialize(IMAGE, Box(10, 10, 0, 5))
