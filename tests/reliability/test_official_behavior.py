"""Each peculiarity of the official code that normal use leaves out: what that does to results."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray
from vot.region import Mask as MaskRegion
from vot.region import Rectangle, calculate_overlap

from alpharefine.build import build_tracker
from alpharefine.catalogue import TRACKERS
from alpharefine.data.images import read_frame
from alpharefine.geometry.boxes import mask_to_box
from alpharefine.official import CORRECTED, OFFICIAL, OfficialBehavior
from alpharefine.refinement.config import CouplingConfig
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.refinement.refiner import Refiner
from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker
from alpharefine.trackers.online.config import LocalizationConfig
from alpharefine.types import Box, Tracker
from tests.conftest import Report
from tests.outside import data_folder
from tests.reliability.moving_patch import WIDTH, frames
from tests.reliability.random_networks import CPU, network, refine_network
from vot_integration.sequences.folder import SequenceFolder, read_list, read_sequence_folder
from vot_integration.toolkit.regions import region_mask

Values = NDArray[np.float64]

NAMES = [field.name for field in fields(OfficialBehavior)]
FAILURE, PATIENCE = 0.1, 10
ALLOWED_LOSS = 0.01
"""Of overlap, in the median of runs."""


def lost_tracker(official: OfficialBehavior, **coupling: object) -> RefinedTracker:
    """A tracker that never finds its target again."""
    config = DimpConfig(
        image_sample_size=160,
        search_area_scale=4.0,
        localization=LocalizationConfig(target_not_found_threshold=1e9),
        official=official,
    )
    base = DimpTracker(network(), config, CPU)
    refiner = Refiner(refine_network(), CPU)
    settings = CouplingConfig(official=official, **coupling)  # type: ignore[arg-type]
    return RefinedTracker(base, refiner, settings)


@pytest.mark.parametrize("feedback", ["base", "refined_if_found"])
@pytest.mark.parametrize("target", [Box(60, 50, 40, 30), Box(0, 0, 30, 20), Box(205, 155, 35, 25)])
@pytest.mark.parametrize("official", [CORRECTED, OFFICIAL], ids=["fixed", "official"])
def test_a_lost_target_stays_where_it_was_but_in_parity_mode(
    feedback: str, target: Box, official: OfficialBehavior
) -> None:
    tracker = lost_tracker(official, feedback=feedback)
    image = frames()[0]
    tracker.initialize(image, target)
    count = 40
    for _ in range(count):
        assert tracker.track(image).lost
    fed_back = tracker.trace.fed_back
    drift = np.hypot(fed_back.x - target.x, fed_back.y - target.y)
    if official is CORRECTED:
        assert drift < 0.01
        assert (fed_back.w, fed_back.h) == pytest.approx((target.w, target.h), abs=0.01)
    elif target.x + target.w < WIDTH:
        assert drift == pytest.approx(np.hypot(count / 2, count / 2), rel=0.2)


def odd_tracker(official: OfficialBehavior) -> Tracker:
    """The default tracker with some of the peculiarities."""
    spec = TRACKERS["ARDiMP_lite"]
    assert spec.refinement is not None
    shift = 0.5 if official.shifted_initial_box else 0.0
    refinement = replace(
        spec.refinement,
        refiner=replace(spec.refinement.refiner, official=official),
        coupling=replace(spec.refinement.coupling, official=official, initial_shift=shift),
    )
    assert isinstance(spec.config, DimpConfig)
    config = replace(spec.config, official=official)
    changed = replace(spec, config=config, refinement=refinement)
    return build_tracker(changed, device="cpu", precision="float32", weights="lite")


@dataclass(frozen=True)
class Start:
    """One run of the multi-start protocol: frames in their order, with their true masks."""

    frames: list[str]
    masks: list[np.ndarray]


def starts(sequence: SequenceFolder) -> Iterator[Start]:
    width, height = sequence.size
    masks = [region_mask(region, height, width) for region in sequence.regions]
    files = [str(frame) for frame in sequence.frames]
    for index, direction in enumerate(sequence.anchors):
        if direction > 0:
            yield Start(files[index:], masks[index:])
        elif direction < 0:
            yield Start(files[index::-1], masks[index::-1])


def mean_overlap(
    tracker: Tracker, start: Start, moved: tuple[float, float] = (0.0, 0.0)
) -> tuple[float, bool]:
    """Mean overlap of a run, 0 from its failure on, and whether it failed; as in VOT2020.

    Args:
        tracker: runs.
        start: where.
        moved: px, by which its first box is moved to the right, and down.
    """
    first = mask_to_box(start.masks[0])
    image = read_frame(start.frames[0])
    assert first is not None and image is not None
    dx, dy = moved
    tracker.initialize(image, first._replace(x=first.x + dx, y=first.y + dy))
    overlaps, misses = [], 0
    bounds = (image.shape[1], image.shape[0])
    for file, truth in zip(start.frames[1:], start.masks[1:], strict=True):
        image = read_frame(file)
        assert image is not None
        estimate = tracker.track(image)
        answer = Rectangle(*estimate.box) if estimate.mask is None else MaskRegion(estimate.mask)
        overlap = calculate_overlap(answer, MaskRegion(truth), bounds)
        overlaps.append(overlap)
        misses = misses + 1 if overlap <= FAILURE and truth.any() else 0
        if misses == PATIENCE:
            return sum(overlaps[:-PATIENCE]) / (len(start.frames) - 1), True
    return sum(overlaps) / (len(start.frames) - 1), False


def is_harm(gains: Values) -> bool:
    """Whether a fix makes runs worse: in the median, or more of them than chance does.

    The mean says little: where a run comes to a hard frame, anything decides whether it is lost.
    """
    lost, decided = int((gains < 0).sum()), int((gains != 0).sum())
    chance = sum(comb(decided, k) for k in range(lost, decided + 1)) / 2**decided
    return bool(np.median(gains) < -ALLOWED_LOSS) or chance < 0.025


@pytest.mark.parametrize(
    ("gains", "harm"),
    [
        ([0.1, -0.1, 0.0, 0.01, -0.01], False),
        ([0.001] * 8 + [-0.5, -0.4], False),
        ([-0.02] * 6 + [0.5] * 4, True),
        ([-0.001] * 10 + [0.3], True),
    ],
)
def test_what_counts_as_harm(gains: list[float], harm: bool) -> None:
    assert is_harm(np.array(gains)) is harm


@pytest.mark.soak
def test_each_fix_helps_or_does_no_harm(figure: Report) -> None:
    runs = [
        run
        for path in read_list(data_folder("eval_masks"))
        for run in starts(read_sequence_folder(path))
    ]

    def measure(
        name: str, official: OfficialBehavior, moved: tuple[float, float] = (0.0, 0.0)
    ) -> Values:
        tracker = odd_tracker(official)
        results = [mean_overlap(tracker, run, moved) for run in runs]
        values = np.array([value for value, _ in results])
        figure(f"{name}, {len(runs)} runs: mean overlap", float(values.mean()))
        figure(f"{name}: failures", sum(failed for _, failed in results))
        return values

    fixed = measure("all fixed", CORRECTED)
    # What chance does: no way of starting half a pixel off is better than another.
    for moved in product((-0.5, 0.0, 0.5), repeat=2):
        measure(f"all fixed, start moved by {moved} px", CORRECTED, moved)
    harmful = []
    for name in [*NAMES, "all"]:
        official = OFFICIAL if name == "all" else replace(CORRECTED, **{name: True})
        gains = fixed - measure(f"{name} kept", official)
        figure(f"{name}: gain of fixing it, median", float(np.median(gains)))
        figure(f"{name}: runs worse, better", f"{(gains < 0).sum()}, {(gains > 0).sum()}")
        if is_harm(gains):
            harmful.append(name)
    assert harmful == []
