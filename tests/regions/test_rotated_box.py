"""The rotated box of a mask: properties, and its overlap on real masks."""

import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from vot.region import Mask, Polygon, calculate_overlap

from tests.conftest import Report
from tests.outside import data_folder
from tests.regions.test_shapes import MASKS, Array
from vot_integration.regions.rotated_box import rotated_box
from vot_integration.sequences.folder import read_list, read_sequence_folder
from vot_integration.toolkit.regions import region_mask

Corners = NDArray[np.float64]
Method = Callable[[Array], Corners | None]


def overlap(corners: Corners | None, mask: Array) -> float:
    """Overlap as the toolkit measures it."""
    assert corners is not None
    region = Polygon([tuple(corner) for corner in corners])
    assert not region.is_empty()
    height, width = mask.shape
    return float(calculate_overlap(region, Mask(mask), (width, height)))


def draw(center: tuple[float, float], size: tuple[float, float], angle: float) -> Array:
    corners = cv2.boxPoints((center, size, angle))
    mask = np.zeros((200, 240), np.uint8)
    cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), 1)
    return mask


def smallest_around(mask: Array, largest_part: bool = False) -> Corners:
    """`cv2.minAreaRect` of all pixels, or of those of the largest part."""
    parts, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = max(parts, key=cv2.contourArea) if largest_part else np.concatenate(parts)
    center, (w, h), angle = cv2.minAreaRect(points)
    return np.asarray(cv2.boxPoints((center, (max(w, 0.5), max(h, 0.5)), angle)), np.float64)


@given(
    center=st.tuples(st.floats(20, 220), st.floats(20, 180)),
    size=st.tuples(st.floats(12, 90), st.floats(12, 90)),
    angle=st.floats(0, 180),
)
@settings(max_examples=60)
def test_of_a_rotated_rectangle_it_is_that_rectangle(center, size, angle) -> None:
    mask = draw(center, size, angle)
    inside = mask.sum() >= 0.95 * size[0] * size[1]
    # Where the frame's border cuts the object, no rectangle has its shape.
    assert overlap(rotated_box(mask), mask) > (0.8 if inside else 0.5)


@given(mask=MASKS)
def test_it_lies_in_the_frame(mask: Array) -> None:
    corners = rotated_box(mask)
    if not mask.any():
        assert corners is None
        return
    height, width = mask.shape
    assert corners is not None
    assert 3 <= len(corners) <= 8
    assert np.isfinite(corners).all()
    assert (corners >= 0).all()
    assert (corners[:, 0] < width).all()
    assert (corners[:, 1] < height).all()
    assert overlap(corners, mask) > 0


@given(mask=MASKS.filter(np.any))
@settings(max_examples=60)
def test_of_any_mask_it_is_hardly_worse_than_the_smallest_box_around(mask: Array) -> None:
    # Of a mask of a few pixels, one or two decide: how corners are rounded, not the fit.
    slack = 0.2 + 2 / np.count_nonzero(mask)
    assert overlap(rotated_box(mask), mask) >= overlap(smallest_around(mask), mask) - slack


@pytest.mark.parametrize("change", [np.asfortranarray, lambda m: m[::-1, ::-1], lambda m: m > 0])
def test_of_any_layout_and_type(change) -> None:
    mask = draw((100, 90), (60, 30), 25)
    changed = change(mask)
    assert overlap(rotated_box(changed), np.ascontiguousarray(changed, np.uint8)) > 0.9


@pytest.mark.parametrize(
    "line", [np.s_[5, 3:17], np.s_[3:17, 5], np.s_[0, :], np.s_[:, 19], np.s_[9, 9]]
)
def test_of_a_line_it_is_drawn_as_that_line(line) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[line] = 1
    assert overlap(rotated_box(mask), mask) == 1.0


@pytest.mark.parametrize("line", [np.s_[7, 3:1900], np.s_[3:1000, 1919], np.s_[5:7, 0:1920]])
def test_of_a_long_thin_line_it_stays_thin(line) -> None:
    mask = np.zeros((1080, 1920), np.uint8)
    mask[line] = 1
    assert overlap(rotated_box(mask), mask) > 0.9


def test_specks_do_not_widen_it() -> None:
    mask = draw((100, 90), (80, 30), 40)
    mask[3, 5] = mask[190, 230] = mask[8, 220] = 1
    assert overlap(rotated_box(mask), mask) > 0.9
    assert overlap(smallest_around(mask), mask) < 0.2


def evaluation_masks(step: int) -> Iterator[tuple[str, Array]]:
    """Every `step`-th ground truth mask of the evaluation sequences."""
    for path in read_list(data_folder("eval_masks")):
        sequence = read_sequence_folder(path)
        width, height = sequence.size
        for region in sequence.regions[::step]:
            mask = region_mask(region, height, width)
            if mask.any():
                yield path.name, mask


def mean_overlap(masks: list[tuple[str, Array]], method: Method) -> float:
    return float(np.mean([overlap(method(mask), mask) for _, mask in masks]))


def test_on_real_masks_it_beats_the_smallest_box_around() -> None:
    masks = list(evaluation_masks(step=12))
    assert mean_overlap(masks, rotated_box) > mean_overlap(masks, smallest_around) + 0.05


def climb(mask: Array, start: Corners, random: np.random.Generator) -> float:
    """Overlap that a long random search reaches from a box: the best there is, or nearly."""
    (x, y), (w, h), angle = cv2.minAreaRect(start.astype(np.float32))
    best = np.array([x, y, w, h, angle])
    reached = overlap(cv2.boxPoints((best[:2], best[2:4], best[4])).astype(float), mask)
    spread = np.array([2, 2, 3, 3, 3]) * max(1.0, max(w, h) / 80)
    for _ in range(600):
        kept = random.random(5) < 0.5
        trial = best + kept * spread * random.normal(size=5) * random.choice([0.15, 0.5, 1.5])
        if trial[2:4].min() >= 0.5:
            corners = cv2.boxPoints((trial[:2], trial[2:4], trial[4])).astype(float)
            value = overlap(corners, mask)
            if value > reached:
                best, reached = trial, value
    return reached


@pytest.mark.soak
def test_on_real_masks_it_is_near_the_best_box(figure: Report) -> None:
    masks = list(evaluation_masks(step=1))
    methods: dict[str, Method] = {
        "minAreaRect of all pixels": smallest_around,
        "minAreaRect of the largest part": lambda mask: smallest_around(mask, largest_part=True),
        "rotated_box": rotated_box,
    }
    for name, method in methods.items():
        for sequence in dict.fromkeys(name for name, _ in masks):
            own = [entry for entry in masks if entry[0] == sequence]
            figure(f"{name}, {sequence}", mean_overlap(own, method))
        figure(f"{name}, all {len(masks)} masks", mean_overlap(masks, method))
        start = time.process_time()
        for _, mask in masks:
            method(mask)
        figure(f"{name}, ms of CPU a frame", 1e3 * (time.process_time() - start) / len(masks))
    random = np.random.default_rng(0)
    some = masks[::8]
    best = []
    for _, mask in some:
        found = rotated_box(mask)
        assert found is not None
        starts = (found, smallest_around(mask, largest_part=True))
        best.append(max(climb(mask, start, random) for start in starts))
    reached = mean_overlap(some, rotated_box)
    figure(f"best found by a search, {len(some)} masks", float(np.mean(best)))
    figure(f"rotated_box, the same {len(some)} masks", reached)
    assert reached > 0.97 * float(np.mean(best))
