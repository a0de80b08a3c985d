"""The measures against the official tools' golden numbers, GOT-10k's own code, and plain loops."""

import io
import zipfile

import numpy as np
import pytest
from got10k.experiments import ExperimentOTB
from got10k.utils.metrics import center_error, rect_iou
from hypothesis import given, settings
from hypothesis import strategies as st

from alpharefine.errors import UsageError
from alpharefine.onepass.conventions import find_convention
from alpharefine.onepass.measures import Truth, combine, measure_sequence, overlaps
from alpharefine.onepass.result_files import read_run
from tests.onepass import naive
from tests.outside import data_folder

_numbers = st.integers(-40, 400).map(lambda value: value / 4)
_sides = st.integers(-1, 400).map(lambda value: value / 4)
_boxes = st.tuples(_numbers, _numbers, _sides, _sides)
_solid = st.tuples(_numbers, _numbers, *[st.integers(1, 400).map(lambda value: value / 4)] * 2)


def _pairs(answer: st.SearchStrategy, truth: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.tuples(answer, truth, st.booleans()), min_size=2, max_size=25)


def _split(rows: list) -> tuple[np.ndarray, Truth]:
    answers, boxes, absent = (np.array(part) for part in zip(*rows, strict=True))
    return answers.astype(float), Truth("a", boxes.astype(float), absent)


def test_trackingnet_gives_the_servers_digits() -> None:
    golden = data_folder("../golden/trackingnet")
    convention = find_convention("official", "trackingnet")
    with (
        zipfile.ZipFile(golden / "dummy_GT.zip") as truths,
        zipfile.ZipFile(golden / "dummy_subm.zip") as answers,
    ):
        scores = []
        for name in truths.namelist():
            truth = np.loadtxt(io.BytesIO(truths.read(name)), delimiter=",")
            boxes = np.zeros_like(truth)
            if name in answers.namelist():
                boxes = np.loadtxt(io.BytesIO(answers.read(name)), delimiter=",")
            scores.append(measure_sequence(boxes, Truth(name, truth), convention))
    found = combine(scores, convention)
    shown = (found.coverage, found.auc, found.precision, found.norm_precision)
    assert [round(100 * value, 4) for value in shown] == [88.9556, 88.0796, 87.8025, 87.8025]
    assert round(100 * found.auc, 7) == 88.0796296
    assert round(100 * found.precision, 7) == 87.8024691


def test_lasot_demo_gives_the_numbers_of_who_scores_the_first_frame() -> None:
    convention = find_convention("pysot", "lasot")
    scores = [
        measure_sequence(
            read_run(folder / "track_results.txt", corners=True).boxes,
            Truth(folder.name, read_run(folder / "groundtruth.txt").boxes),
            convention,
        )
        for folder in sorted(data_folder("../golden/lasot_demo").iterdir())
    ]
    found = combine(scores, convention)
    assert (round(100 * found.auc, 3), round(100 * found.norm_precision, 3)) == (67.524, 70.0)


@given(_pairs(_boxes, _solid))
def test_overlaps_are_those_of_got10k(rows: list) -> None:
    answers, truth = _split(rows)
    eps = float(np.finfo(float).eps)
    np.testing.assert_array_equal(
        overlaps(answers, truth.boxes, eps), rect_iou(answers, truth.boxes)
    )


@given(_pairs(_boxes, _solid))
def test_otb_by_got10k_has_the_curves_of_its_own_code(rows: list) -> None:
    answers, truth = _split(rows)
    convention = find_convention("got10k", "otb")
    score = measure_sequence(answers, truth, convention)
    experiment = ExperimentOTB.__new__(ExperimentOTB)
    experiment.nbins_iou, experiment.nbins_ce = 21, 51
    answers[0] = truth.boxes[0]
    success, precision = experiment._calc_curves(
        rect_iou(answers, truth.boxes), center_error(answers, truth.boxes)
    )
    np.testing.assert_array_equal(score.curves.success, success)
    np.testing.assert_array_equal(score.curves.precision, precision)
    scores = combine([score], convention)
    assert scores.auc == pytest.approx(success.mean())
    assert (scores.precision, scores.op50) == (precision[20], success[10])


@given(_pairs(_boxes, _solid), st.integers(20, 120), st.integers(20, 120))
def test_got10k_clips_to_the_image_and_pools_visible_frames(
    rows: list, width: int, height: int
) -> None:
    answers, truth = _split(rows)
    truth = Truth("a", truth.boxes, truth.absent, (width, height))
    convention = find_convention("official", "got10k")
    visible = ~truth.absent[1:]
    found = combine(
        [measure_sequence(part, truth, convention) for part in (answers, truth.boxes)], convention
    )
    expected = np.concatenate(
        [
            rect_iou(part[1:].copy(), truth.boxes[1:].copy(), bound=(width, height))[visible]
            for part in (answers, truth.boxes)
        ]
    )
    assert found.frames == len(expected)
    if len(expected):
        assert found.ao == pytest.approx(expected.mean())
        assert found.sr50 == pytest.approx((expected > 0.5).mean())
        assert found.sr75 == pytest.approx((expected > 0.75).mean())


@pytest.mark.parametrize(
    ("name", "loops"), [("official", naive.lasot), ("pytracking", naive.pytracking)]
)
@settings(max_examples=50)
@given(rows=_pairs(_boxes.filter(lambda box: min(box[2:]) >= 0), _boxes))
def test_lasot_is_what_plain_loops_make_of_it(name: str, loops, rows: list) -> None:
    answers, truth = _split(rows)
    score = measure_sequence(answers, truth, find_convention(name, "lasot"))
    expected = loops(answers, truth)
    count = len(rows)
    success = [sum(value > k * 0.05 for value in expected[0]) / count for k in range(21)]
    precision = [sum(value <= k for value in expected[1]) / count for k in range(51)]
    norm = [sum(value <= k / 100 for value in expected[2]) / count for k in range(51)]
    np.testing.assert_allclose(score.curves.success, success)
    np.testing.assert_allclose(score.curves.precision, precision)
    np.testing.assert_allclose(score.curves.norm, norm)


def _score(name: str, layout: str, answers: list, truth: list, absent: list | None = None):
    flags = None if absent is None else np.array(absent, bool)
    convention = find_convention(name, layout)
    data = Truth("a", np.array(truth, float), flags)
    return combine([measure_sequence(np.array(answers, float), data, convention)], convention)


BOX, FAR, NONE = [10, 10, 20, 20], [200, 10, 20, 20], [0, 0, 0, 0]


def test_the_first_frame_is_given_scored_or_left_out() -> None:
    found = [
        _score(name, layout, [FAR, BOX], [BOX, BOX]).ao
        for name, layout in (("official", "otb"), ("pysot", "otb"), ("official", "got10k"))
    ]
    assert found == [1.0, 0.5, 1.0]


def test_absent_frames_fail_are_scored_or_do_not_count() -> None:
    answers, truth, absent = [BOX] * 4, [BOX] * 4, [0, 0, 1, 1]
    found = {
        (name, layout): _score(name, layout, answers, truth, absent)
        for name in ("official", "pytracking", "pysot", "got10k")
        for layout in ("lasot", "got10k")
    }
    assert found["official", "lasot"].op50 == found["pytracking", "lasot"].op50 == 0.5
    assert found["official", "lasot"].precision == 0.5
    assert found["pysot", "lasot"].op50 == found["got10k", "lasot"].op50 == 1.0
    assert (found["official", "got10k"].op50, found["official", "got10k"].frames) == (1.0, 1)


def test_a_truth_without_extent_passes_the_center_error_of_some() -> None:
    answers, truth = [BOX, FAR], [BOX, NONE]
    passing = [("official", "uav123"), ("pysot", "otb"), ("pytracking", "uav123")]
    for name, layout in passing:
        scores = _score(name, layout, answers, truth)
        assert (scores.op50, scores.precision) == (0.5, 1.0)
    scores = _score("pytracking", "otb", answers, truth)
    assert (scores.precision, scores.norm_precision) == (0.5, 1.0)


def test_an_unannotated_truth_does_not_count_by_got10k() -> None:
    truth = [BOX, [np.nan] * 4, BOX]
    scores = _score("got10k", "uav123", [BOX, FAR, FAR], truth)
    assert (scores.op50, scores.frames) == (0.5, 2)


def test_pysot_asks_centers_for_more_than_zero_and_boxes_for_all_four() -> None:
    scores = _score("pysot", "otb", [BOX, FAR], [BOX, [0, 10, 20, 20]])
    assert (scores.op50, scores.precision) == (0.5, 0.5)


def test_overlaps_equal_to_a_threshold_succeed_on_the_server_of_trackingnet_alone() -> None:
    half = [10, 10, 20, 10]
    assert _score("official", "trackingnet", [BOX, half], [BOX, BOX]).op50 == 1.0
    assert _score("official", "otb", [BOX, half], [BOX, BOX]).op50 == 0.5


def test_invalid_answers_are_repeated_or_fail() -> None:
    broken = [[np.nan] * 4, [10, 10, -5, 20], [10, 10, 0, 20]]
    answers, truth = [BOX, *broken], [BOX] * 4
    assert _score("official", "otb", answers, truth).op50 == 1.0
    assert _score("pysot", "otb", answers, truth).op50 == 0.25
    # A flat box is repeated, and what is before it is a failure.
    assert _score("pytracking", "otb", answers, truth).op50 == 0.25
    assert _score("pytracking", "otb", [BOX, broken[2]], [BOX] * 2).op50 == 1.0


@pytest.mark.parametrize("name", ["official", "pytracking", "pysot", "got10k"])
@pytest.mark.parametrize("layout", ["otb", "lasot", "trackingnet", "uav123"])
def test_missing_rows_fail_and_surplus_ones_do_not_count(name: str, layout: str) -> None:
    short = _score(name, layout, [BOX], [BOX] * 4)
    assert (short.op50, short.precision, short.frames) == (
        0.25,
        pytest.approx(0.25),
        4,
    )
    assert _score(name, layout, [BOX] * 9, [BOX] * 4).op50 == 1.0


def test_an_unknown_convention_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of official, pytracking, pysot, got10k"):
        find_convention("votkit", "otb")
