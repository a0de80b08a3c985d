"""Success, precision and normalized precision of one-pass runs, by any convention.

Source: Wu, Lim and Yang, "Object Tracking Benchmark" (PAMI 2015), for the curves; Mueller et al.,
"TrackingNet" (ECCV 2018), for normalized precision; Huang et al., "GOT-10k" (PAMI 2019), for
average overlap and success rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alpharefine.onepass.conventions import Convention, Curve, Frames

Boxes = NDArray[np.float64]
"""N x 4: x, y, w, h in px; NaN where there is none."""

_Flags = NDArray[np.bool_]
_PASSES = -1.0
_FAILS = np.inf


@dataclass(frozen=True)
class Truth:
    """What is known of a sequence of N frames.

    Attributes:
        name: of the sequence.
        boxes: N x 4, NaN where the target is not annotated.
        absent: N bool, where the target is marked as not there; None where the set does not say.
        size: width and height of the images, px; None where it is not known.
        group: class of the target, None where the set has no classes.
        attributes: of the sequence, such as "occlusion".
        absence_files: those of the data set's files that mark frames without the target which
            this sequence lacks.
    """

    name: str
    boxes: Boxes
    absent: _Flags | None = None
    size: tuple[float, float] | None = None
    group: str | None = None
    attributes: tuple[str, ...] = ()
    absence_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curves:
    """Shares of frames in 0..1 at each of the convention's thresholds.

    Attributes:
        success: share of frames whose overlap is above the threshold.
        precision: share of frames whose center error is at most the threshold.
        norm: the same of the center error in sides of the truth's box.
    """

    success: Curve
    precision: Curve
    norm: Curve


@dataclass(frozen=True)
class SequenceScore:
    """A sequence's part of the scores.

    Attributes:
        name: of the sequence.
        curves: over its frames.
        average_overlap: mean overlap, 0..1.
        frames: that count.
        answered: frames with an answer, and the number of all frames.
        runs: repetitions that the curves are averaged over.
    """

    name: str
    curves: Curves
    average_overlap: float
    frames: int
    answered: tuple[int, int]
    runs: int = 1


@dataclass(frozen=True)
class Scores:
    """Scores of a set of sequences, all in 0..1.

    Attributes:
        auc: area under the success curve; mean of its values unless the convention integrates.
        op50: success at overlap 0.5.
        op75: success at overlap 0.75.
        precision: share of frames with a center error of at most 20 px, or the area under the
            precision curve where the convention integrates.
        norm_precision: normalized precision, as the convention takes it from its curve.
        ao: average overlap.
        sr50: success rate at overlap 0.5.
        sr75: success rate at overlap 0.75.
        coverage: share of all sequences' frames with an answer.
        curves: that the scores are taken from.
        sequences: their number.
        frames: that count, each once however often its sequence was run.
    """

    auc: float
    op50: float
    op75: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float
    coverage: float
    curves: Curves
    sequences: int
    frames: int


def overlaps(boxes: Boxes, truth: Boxes, union_epsilon: float = 0.0) -> Curve:
    """Intersection over union of boxes row by row, N float in 0..1; NaN where it has no value."""
    start = np.maximum(boxes[:, :2], truth[:, :2])
    end = np.minimum(boxes[:, :2] + boxes[:, 2:], truth[:, :2] + truth[:, 2:])
    shared = np.clip(end - start, 0, None).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + truth[:, 2:].prod(axis=1) - shared + union_epsilon
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(shared / union, 0, 1)


def center_errors(boxes: Boxes, truth: Boxes, *, normalized: bool = False) -> Curve:
    """Distances of the boxes' centers row by row, N float in px.

    Args:
        boxes: N x 4.
        truth: N x 4.
        normalized: divide each axis by the truth's side.
    """
    difference = _centers(boxes) - _centers(truth)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.hypot(*(difference / truth[:, 2:] if normalized else difference).T)


def measure_sequence(boxes: Boxes, truth: Truth, convention: Convention) -> SequenceScore:
    """Measure one run of a tracker in a sequence.

    Args:
        boxes: answers, M x 4; missing ones are failures, those behind the last truth do not count.
        truth: of the sequence.
        convention: the rules.
    """
    target = truth.boxes.copy()
    answers = prepare(boxes, target, convention)
    covered = np.nan_to_num(answers).sum(axis=1) > 0
    if convention.rounds:
        answers, target = np.round(answers), np.round(target)
    if convention.clips and truth.size is not None:
        answers, target = _clip(answers, truth.size), _clip(target, truth.size)
    overlap = overlaps(answers, target, convention.union_epsilon)
    center = center_errors(answers, target)
    norm = center_errors(answers, target, normalized=True)
    absent = np.zeros(len(target), np.bool_) if truth.absent is None else truth.absent
    counted = _judge(overlap, center, norm, target, absent, answers, convention)
    if convention.first == "left_out":
        counted[0] = False
    if convention.absent is Frames.FAILED:
        overlap[absent], center[absent], norm[absent] = np.nan, _FAILS, _FAILS
    kept = overlap[counted]
    return SequenceScore(
        truth.name,
        Curves(
            _share_above(kept, convention),
            _share_within(center[counted], convention.precision),
            _share_within(norm[counted], convention.norm),
        ),
        float(np.nan_to_num(kept).mean()) if kept.size else 0.0,
        int(counted.sum()),
        (int(covered.sum()), len(covered)),
    )


def prepare(boxes: Boxes, truth: Boxes, convention: Convention) -> Boxes:
    """Answers as the convention takes them, one a truth: padded, cut, the first one replaced."""
    answers = np.full(truth.shape, np.nan)
    shared = min(len(boxes), len(truth))
    answers[:shared] = boxes[:shared]
    sides = answers[:, 2:]
    with np.errstate(invalid="ignore"):
        if convention.refuses_invalid:
            answers[~np.isfinite(answers).all(axis=1) | (sides < 0).any(axis=1)] = np.nan
        if convention.repeated == "flat":
            repeated = (sides == 0).any(axis=1)
        else:
            repeated = ~np.isfinite(answers).all(axis=1) | (sides <= 0).any(axis=1)
            # What is missing at the end is missing.
            repeated[shared:] = False
    if convention.repeated != "none" and len(answers):
        repeated &= ~np.isnan(truth).any(axis=1)
        repeated[0] = False
        source = np.where(repeated, 0, np.arange(len(answers)))
        answers = answers[np.maximum.accumulate(source)]
    if convention.first == "given" and len(answers):
        answers[0] = truth[0]
    return answers


def combine(sequences: Sequence[SequenceScore], convention: Convention) -> Scores:
    """Scores over sequences, of equal weight unless the convention pools frames.

    Args:
        sequences: at least one.
        convention: by which they were measured.
    """
    # Frames of all repetitions are pooled.
    pool = np.array([entry.frames * entry.runs for entry in sequences], dtype=np.float64)
    weights = pool if convention.pooled and pool.any() else np.ones(len(sequences))
    weights = weights / weights.sum()

    def mean(values: Sequence[Curve] | Sequence[float]) -> Curve:
        return np.asarray(np.tensordot(weights, np.asarray(values), axes=1), dtype=np.float64)

    curves = Curves(
        mean([entry.curves.success for entry in sequences]),
        mean([entry.curves.precision for entry in sequences]),
        mean([entry.curves.norm for entry in sequences]),
    )
    ao = float(mean([entry.average_overlap for entry in sequences]))
    covered, everything = np.sum([entry.answered for entry in sequences], axis=0)
    half = _value_at(curves.success, convention.success, 0.5)
    high = _value_at(curves.success, convention.success, 0.75)
    return Scores(
        area(curves.success, convention),
        half,
        high,
        _precision(curves.precision, convention),
        _norm_precision(curves.norm, convention),
        ao,
        half,
        high,
        float(covered / everything) if everything else 0.0,
        curves,
        len(sequences),
        sum(entry.frames for entry in sequences),
    )


def area(success: Curve, convention: Convention) -> float:
    """Area under a success curve, 0..1, as the convention takes it."""
    return _integral(success) if convention.integrated else float(success.mean())


def _centers(boxes: Boxes) -> Boxes:
    return boxes[:, :2] + boxes[:, 2:] / 2


def _clip(boxes: Boxes, size: tuple[float, float]) -> Boxes:
    bounds = np.array(size)
    start = np.clip(boxes[:, :2], 0, bounds)
    # The far side is measured from the clipped corner: a box that begins outside keeps its width.
    return np.concatenate((start, np.clip(boxes[:, 2:], 0, bounds - start)), axis=1)


def _judge(
    overlap: Curve,
    center: Curve,
    norm: Curve,
    truth: Boxes,
    absent: _Flags,
    answers: Boxes,
    convention: Convention,
) -> _Flags:
    """Set the errors of frames without a valid truth, and say which frames count at all."""
    invalid = ~_valid(truth, convention.valid)
    counted = np.ones(len(truth), np.bool_)
    if convention.invalid is Frames.LEFT_OUT:
        counted &= ~invalid
    else:
        off_center = ~_valid(truth, convention.valid_center)
        overlap[invalid] = np.nan
        center[off_center] = _PASSES if convention.invalid_center_passes else _FAILS
        norm[off_center] = _PASSES if convention.invalid_norm_passes else _FAILS
    if convention.refuses_invalid:
        refused = np.isnan(answers).any(axis=1)
        center[refused], norm[refused] = _FAILS, _FAILS
    if convention.absent is Frames.LEFT_OUT:
        counted &= ~absent
    return counted


def _valid(truth: Boxes, rule: str) -> _Flags:
    with np.errstate(invalid="ignore"):
        if rule == "positive":
            return np.asarray((truth > 0).all(axis=1))
        if rule == "sized":
            return np.asarray((truth[:, 2:] > 0).all(axis=1))
        if rule == "center":
            # pysot's centers are those of pixels: half a pixel left of and above ours.
            return np.asarray((_centers(truth) - 0.5 > 0).all(axis=1))
    return np.asarray(~np.isnan(truth).any(axis=1))


def _share_above(overlap: Curve, convention: Convention) -> Curve:
    # One sort in place of a comparison of every frame with every threshold; NaN is above nothing.
    ranked = np.sort(overlap[~np.isnan(overlap)])
    side: Literal["left", "right"] = "left" if convention.inclusive else "right"
    above = len(ranked) - np.searchsorted(ranked, convention.success, side)
    return np.asarray(above / max(len(overlap), 1), dtype=np.float64)


def _share_within(errors: Curve, thresholds: tuple[float, ...]) -> Curve:
    within = np.searchsorted(np.sort(errors), thresholds, "right")
    return np.asarray(within / max(len(errors), 1), dtype=np.float64)


def _value_at(curve: Curve, thresholds: tuple[float, ...], threshold: float) -> float:
    return float(curve[int(np.argmin(np.abs(np.array(thresholds) - threshold)))])


def _integral(curve: Curve) -> float:
    """Area over thresholds that are taken as evenly spaced from 0 to 1."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def _precision(curve: Curve, convention: Convention) -> float:
    return _integral(curve) if convention.integrated else _value_at(curve, convention.precision, 20)


def _norm_precision(curve: Curve, convention: Convention) -> float:
    if convention.integrated:
        return _integral(curve)
    if convention.norm_score == "mean":
        return float(curve.mean())
    return _value_at(curve, convention.norm, 0.2)
