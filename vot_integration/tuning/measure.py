"""How good a tracker is on sequences, one after the other: what a trial does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.onepass.conventions import find_convention
from alpharefine.onepass.measures import Truth, area, measure_sequence
from vot_integration.report.measures import FailureRule, SequenceMeasures, combine
from vot_integration.report.measures import measure_sequence as measure_runs
from vot_integration.report.trajectories import TrackedRun
from vot_integration.sequences.folder import SequenceFolder
from vot_integration.toolkit.regions import (
    absent_region,
    region_box,
    region_overlaps,
    region_shape,
    shape_region,
)
from vot_integration.toolkit.results import Run
from vot_integration.track.follower import Answer, Follower

Objective = Literal["auc", "eao"]
OBJECTIVES: tuple[Objective, ...] = ("auc", "eao")

MARGIN = 0.02
"""A trial ends when its running value is that far below the best trial's."""


@dataclass(frozen=True)
class Measured:
    """What a tracker has reached in one sequence.

    Attributes:
        name: of the sequence.
        auc: area under the success curve of one pass, 0..1; None where EAO is asked for.
        runs: of the multi-start protocol; None where AUC is asked for.
    """

    name: str
    auc: float | None = None
    runs: SequenceMeasures | None = None


@dataclass(frozen=True)
class Answers:
    """What a trial has found.

    Attributes:
        measured: sequences in their order.
        running: the objective over the first, the first two, ... sequences.
        is_pruned: whether it ended early.
    """

    measured: Sequence[Measured]
    running: Sequence[float] = field(default=())
    is_pruned: bool = False

    @property
    def value(self) -> float:
        """The objective over all that was measured."""
        return self.running[-1]


def value_of(measured: Sequence[Measured], interval: tuple[int, int]) -> float:
    """The objective over sequences: mean AUC, or EAO in an interval; 0..1."""
    areas = [entry.auc for entry in measured if entry.auc is not None]
    if areas:
        return float(np.mean(areas))
    runs = [entry.runs for entry in measured if entry.runs is not None]
    return combine(runs, interval).eao or 0.0


def measure_all(
    follower: Follower,
    sequences: Sequence[SequenceFolder],
    objective: Objective,
    interval: tuple[int, int],
    best: Sequence[float] = (),
    on_sequence: Callable[[int], None] = lambda number: None,
) -> Answers:
    """Measure sequence by sequence, and stop where the best trial is out of reach.

    Args:
        follower: the tracker; starts anew by `initialize`.
        sequences: in the order of the best trial.
        objective: what is measured.
        interval: first and last frame of the EAO interval.
        best: running values of the best trial; empty lets this one come to its end.
        on_sequence: is told how many are done.
    """
    measured: list[Measured] = []
    running: list[float] = []
    for number, sequence in enumerate(sequences, start=1):
        measure = _one_pass if objective == "auc" else _multi_start
        measured.append(measure(follower, sequence, interval[1]))
        running.append(value_of(measured, interval))
        on_sequence(number)
        if number < len(sequences) and is_hopeless(running, best, len(sequences)):
            return Answers(measured, running, is_pruned=True)
    return Answers(measured, running)


def is_hopeless(running: Sequence[float], best: Sequence[float], count: int) -> bool:
    """Whether a trial is to end: it has seen enough, and is clearly below the best one there.

    Args:
        running: its running values.
        best: those of the best trial.
        count: number of sequences.
    """
    seen = len(running)
    if seen > len(best) or seen < max(2, -(-count // 4)):
        return False
    return running[-1] < best[seen - 1] - MARGIN


def check_sequence(sequence: SequenceFolder, objective: Objective) -> None:
    """Check that a sequence can be measured.

    Raises:
        UsageError: there is no target in its first frame, or no anchor.
    """
    if objective == "auc" and sequence.regions[0].is_empty():
        raise UsageError(f"{sequence.path}: no target in the first frame, where one pass begins")
    if objective == "eao" and not any(sequence.anchors):
        raise UsageError(
            f"{sequence.path} has no anchors, at which EAO's runs begin: `arvot sequences anchors` "
            "places them, or use --objective auc"
        )


def _one_pass(follower: Follower, sequence: SequenceFolder, length: int) -> Measured:
    answers = _follow(follower, sequence, range(sequence.length))
    truth = np.array([region_box(region) for region in sequence.regions], dtype=np.float64)
    boxes = np.array([answer.box for answer in answers], dtype=np.float64)
    convention = find_convention("official", "vot")
    score = measure_sequence(boxes, Truth(sequence.name, truth), convention)
    return Measured(sequence.name, auc=area(score.curves.success, convention))


def _multi_start(follower: Follower, sequence: SequenceFolder, length: int) -> Measured:
    runs = []
    for anchor, direction in enumerate(sequence.anchors):
        if direction:
            order = range(anchor, sequence.length) if direction > 0 else range(anchor, -1, -1)
            runs.append(_anchored(follower, sequence, order))
    return Measured(
        sequence.name,
        runs=measure_runs(sequence.name, sequence.length, runs, FailureRule(), length),
    )


def _anchored(follower: Follower, sequence: SequenceFolder, order: range) -> TrackedRun:
    answers = _follow(follower, sequence, order)
    regions = [
        absent_region() if answer.shape is None else shape_region(answer.shape)
        for answer in answers
    ]
    truth = [sequence.regions[frame] for frame in order]
    count = len(order)
    return TrackedRun(
        Run("baseline", sequence.name, f"{sequence.name}_{order.start:08d}", count, True),
        np.array(order),
        region_overlaps(regions, truth, sequence.size),
        np.array([not region.is_empty() for region in truth]),
        np.ones(count, np.bool_),
        np.zeros(count, np.bool_),
        np.full(count, np.nan),
    )


def _follow(follower: Follower, sequence: SequenceFolder, order: range) -> list[Answer]:
    target = region_shape(sequence.regions[order.start])
    answers: list[Answer] = []
    for frame in order:
        image = read_frame(str(sequence.frames[frame]))
        if image is None:
            if not answers:
                raise UsageError(f"{sequence.frames[frame]} cannot be read: a run begins there")
            answers.append(answers[-1])
        elif not answers:
            assert target is not None
            answers.append(follower.initialize(image, target))
        else:
            answers.append(follower.track(image))
    return answers
