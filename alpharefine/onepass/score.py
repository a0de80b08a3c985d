"""What trackers score on a data set, and what is to be known of the numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpharefine.data.images import FrameError
from alpharefine.errors import UsageError
from alpharefine.onepass.conventions import Convention, Frames
from alpharefine.onepass.measures import (
    Boxes,
    Curves,
    Scores,
    SequenceScore,
    Truth,
    combine,
    measure_sequence,
)
from alpharefine.onepass.result_files import ResultFiles, Run, read_run, read_times, sequence_key

_SHIFT = np.array([1.0, 1.0, 0.0, 0.0])


@dataclass(frozen=True)
class ResultForm:
    """How the numbers of result files are to be read.

    Attributes:
        corners: they are x1, y1, x2, y2.
        offset: px that are added to x and y, for files that count pixels from another number than
            the truth.
    """

    corners: bool = False
    offset: float = 0.0


AS_WRITTEN = ResultForm()


@dataclass(frozen=True)
class TrackerScores:
    """What one tracker scores.

    Attributes:
        scores: over all sequences that have results.
        sequences: each of them; repetitions are one.
        groups: by class, where the set has classes.
        attributes: by attribute, where the set has some.
        fps: frames a second, None where no times are kept.
        notes: what is wrong with the result files, in words.
        missing: sequences without results that are not counted.
        unusable: sequences in whose files no row is a box; all their frames are failures.
    """

    scores: Scores
    sequences: Sequence[SequenceScore]
    groups: Mapping[str, Scores]
    attributes: Mapping[str, Scores]
    fps: float | None
    notes: Sequence[str]
    missing: Sequence[str]
    unusable: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Numbers for programs, in 0..1 but for speed and counts."""
        scores = self.scores
        document: dict[str, Any] = {**numbers(scores), "fps": self.fps}
        document |= {"sequences": scores.sequences, "frames": scores.frames}
        document["coverage"] = scores.coverage
        if self.groups:
            means = [numbers(part) for part in self.groups.values()]
            document["class_means"] = {
                key: float(np.mean([mean[key] for mean in means])) for key in means[0]
            }
        if self.attributes:
            document["attributes"] = {name: numbers(part) for name, part in self.attributes.items()}
        document["notes"] = list(self.notes)
        return document


def numbers(scores: Scores) -> dict[str, float]:
    """The scores by their names in JSON documents."""
    return {
        "auc": scores.auc,
        "op50": scores.op50,
        "op75": scores.op75,
        "precision": scores.precision,
        "norm_precision": scores.norm_precision,
        "ao": scores.ao,
        "sr50": scores.sr50,
        "sr75": scores.sr75,
    }


def score_tracker(
    truths: Sequence[Truth],
    results: Mapping[str, ResultFiles],
    convention: Convention,
    form: ResultForm = AS_WRITTEN,
) -> TrackerScores:
    """Score a tracker's result files.

    Args:
        truths: of all sequences of the set.
        results: files by `sequence_key`.
        convention: the rules.
        form: how the files are to be read.

    Raises:
        UsageError: a file cannot be read, there is none, or the truth is the first box alone, as in
            sets that a server scores.
    """
    tally = _Tally(convention, form)
    scored: dict[str, SequenceScore] = {}
    missing, hidden = [], []
    for truth in truths:
        files = results.get(sequence_key(truth.name))
        if files is not None:
            sequence = tally.measure(truth, files)
            if sequence is None:
                hidden.append(truth.name)
            else:
                scored[truth.name] = sequence
        elif convention.zeros_for_missing:
            missing.append(truth.name)
            zeros = np.zeros((len(truth.boxes), 4))
            scored[truth.name] = measure_sequence(zeros, truth, convention)
        else:
            missing.append(truth.name)
    if hidden and not scored.keys() - set(missing):
        raise UsageError(
            "the truth has the first box of each sequence alone: only the data set's server can "
            "score these results"
        )
    if not scored:
        raise UsageError("no result file belongs to a sequence of the data set")
    return TrackerScores(
        combine(list(scored.values()), convention),
        list(scored.values()),
        _by_group(truths, scored, convention),
        _by_attribute(truths, scored, convention),
        tally.fps(),
        [
            *_missing_note(missing, len(truths), convention),
            *_hidden_note(hidden),
            *_unmarked_notes([truth for truth in truths if truth.name in scored], convention),
            *_unread_notes(truths, results),
            *tally.notes(),
        ],
        [] if convention.zeros_for_missing else missing,
        tally.unusable,
    )


class _Tally:
    """Measures sequences, and keeps count of what is wrong with their files."""

    def __init__(self, convention: Convention, form: ResultForm) -> None:
        self._convention, self._form = convention, form
        self._faults: Counter[str] = Counter()
        self._places: dict[str, str] = {}
        self._lengths: set[int] = set()
        self._shifts: list[float] = []
        self._corners: list[bool] = []
        self._headed: list[str] = []
        self.unusable: list[str] = []
        self._times: list[NDArray[np.float64]] = []

    def measure(self, truth: Truth, files: ResultFiles) -> SequenceScore | None:
        """Measure a sequence; of repetitions the mean counts.

        Returns:
            None where the truth is the first box alone, and the results go on.
        """
        try:
            runs = [read_run(file, corners=self._form.corners) for file in files.boxes]
            if files.times is not None:
                self._times.append(read_times(files.times))
        except FrameError as error:
            raise UsageError(error) from error
        if len(truth.boxes) == 1 and any(len(run.boxes) > 1 for run in runs):
            return None
        parts = [self._measure_run(truth, run) for run in runs]
        return parts[0] if len(parts) == 1 else _average(parts)

    def fps(self) -> float | None:
        """Speed over all sequences, as the convention takes it."""
        times = np.concatenate([np.empty(0), *self._times])
        if not times.size:
            return None
        rate = np.mean(1 / times) if self._convention.mean_rate else times.size / times.sum()
        return float(rate)

    def notes(self) -> list[str]:
        """What was wrong, a line a kind."""
        notes = [
            f"{count} {kind}, the first in {self._places[kind]}: {self._effect(kind)}"
            for kind, count in self._faults.items()
        ]
        if self._lengths:
            found = ", ".join(map(str, sorted(self._lengths)))
            notes.append(
                f"ragged rows have {found} numbers: expected are the 4 of x,y,w,h, or 8 of "
                "corners; delete columns that are no part of the box"
            )
        if self.unusable:
            notes.append(
                f"{len(self.unusable)} sequences have no row that is a box, such as "
                f"{self.unusable[0]}: all their frames are failures; make their results anew"
            )
        if self._headed:
            notes.append(
                f"{len(self._headed)} files begin with a line that is no numbers, such as that of "
                f"{self._headed[0]}: it counts as the first frame; delete it if it is a heading"
            )
        if self._shifts and all(shift == self._shifts[0] for shift in self._shifts):
            shift = self._shifts[0]
            if shift:
                word, base = ("less", 0) if shift < 0 else ("more", 1)
                notes.append(
                    f"the first box of every sequence is 1 px {word} than the truth in x and y: "
                    f"give --base {base} if the files count pixels from {base}, and the truth not"
                )
        if self._corners and 2 * sum(self._corners) >= len(self._corners):
            notes.append("the first boxes look like x1,y1,x2,y2: give --boxes corners if they are")
        return notes

    def _measure_run(self, truth: Truth, run: Run) -> SequenceScore:
        for kind, count in run.faults.items():
            self._add(kind, count, truth.name)
        self._lengths.update(run.lengths)
        if not np.isfinite(run.boxes).all(axis=1).any():
            self.unusable.append(truth.name)
        elif run.is_headed:
            self._headed.append(truth.name)
        difference = len(truth.boxes) - len(run.boxes)
        if difference:
            kind = "missing rows" if difference > 0 else "surplus rows"
            self._add(kind, abs(difference), truth.name)
        boxes = run.boxes + self._form.offset * _SHIFT
        if len(boxes) and len(truth.boxes):
            self._look_at_first(boxes[0], truth.boxes[0])
        return measure_sequence(boxes, truth, self._convention)

    def _add(self, kind: str, count: int, sequence: str) -> None:
        self._faults[kind] += count
        self._places.setdefault(kind, sequence)

    def _look_at_first(self, box: Boxes, truth: Boxes) -> None:
        difference = np.round(box - truth, 3)
        shifted = bool((difference == difference[0] * _SHIFT).all()) and abs(difference[0]) == 1
        self._shifts.append(float(difference[0]) if shifted else 0.0)
        as_corners = np.concatenate((truth[:2], truth[:2] + truth[2:]))
        self._corners.append(bool(np.allclose(box, as_corners, atol=1.01)) and truth[:2].sum() > 4)

    def _effect(self, kind: str) -> str:
        convention = self._convention
        if kind == "surplus rows":
            return "not counted"
        if kind == "rows with a side of 0 or less":
            if convention.repeated == "flat":
                return f"those with a side of 0 by the row before, as {convention.tool} does"
            if convention.repeated == "invalid":
                return f"scored by the row before, as {convention.tool} does"
            return f"scored as they are, as {convention.tool} does"
        if kind != "missing rows" and convention.repeated == "invalid":
            return f"scored by the row before, as {convention.tool} does"
        stops = f", where {convention.tool} would stop" if convention.refuses_invalid else ""
        return f"scored as failures{stops}"


def _average(parts: Sequence[SequenceScore]) -> SequenceScore:
    curves = Curves(
        *(
            np.mean([getattr(part.curves, name) for part in parts], axis=0)
            for name in ("success", "precision", "norm")
        )
    )
    return replace(
        parts[0],
        curves=curves,
        average_overlap=float(np.mean([part.average_overlap for part in parts])),
        runs=len(parts),
        answered=(sum(p.answered[0] for p in parts), sum(p.answered[1] for p in parts)),
    )


def _by_group(
    truths: Sequence[Truth], scored: Mapping[str, SequenceScore], convention: Convention
) -> dict[str, Scores]:
    groups: dict[str, list[SequenceScore]] = {}
    for truth in truths:
        if truth.group is not None and truth.name in scored:
            groups.setdefault(truth.group, []).append(scored[truth.name])
    return {name: combine(entries, convention) for name, entries in sorted(groups.items())}


def _by_attribute(
    truths: Sequence[Truth], scored: Mapping[str, SequenceScore], convention: Convention
) -> dict[str, Scores]:
    attributes: dict[str, list[SequenceScore]] = {}
    for truth in truths:
        for name in truth.attributes:
            if truth.name in scored:
                attributes.setdefault(name, []).append(scored[truth.name])
    return {name: combine(entries, convention) for name, entries in sorted(attributes.items())}


def _hidden_note(hidden: Sequence[str]) -> list[str]:
    if not hidden:
        return []
    return [
        f"{len(hidden)} sequences have their first box alone as truth, the first is {hidden[0]}: "
        "left out, as only the data set's server can score them"
    ]


def _unmarked_notes(truths: Sequence[Truth], convention: Convention) -> list[str]:
    """What the convention reads of a data set and does not find, so that its numbers are others."""
    unmarked = [truth for truth in truths if truth.absence_files]
    notes = []
    if unmarked and convention.absent is not Frames.SCORED:
        notes.append(
            f"{len(unmarked)} of {len(truths)} sequences lack "
            f"{', '.join(unmarked[0].absence_files)}, such as {unmarked[0].name}: frames "
            f"without the target are scored like others, which {convention.tool} does not"
        )
    unsized = [truth for truth in truths if truth.size is None]
    if unsized and convention.clips:
        notes.append(
            f"{len(unsized)} of {len(truths)} sequences lack meta_info.ini with the resolution, "
            f"such as {unsized[0].name}: boxes are not clipped to the image, which "
            f"{convention.tool} does"
        )
    return notes


def _unread_notes(truths: Sequence[Truth], results: Mapping[str, ResultFiles]) -> list[str]:
    """Files that are not scored: second ones of a sequence, and those of no sequence."""
    wanted = {sequence_key(truth.name): truth.name for truth in truths}
    notes = []
    doubled = [key for key in results if key in wanted and results[key].unread]
    if doubled:
        files = results[doubled[0]]
        notes.append(
            f"{len(doubled)} sequences have a second file, such as {wanted[doubled[0]]}: "
            f"{files.boxes[0].name} is scored, {files.unread[0].name} is not"
        )
    strange = [files.boxes[0].name for key, files in results.items() if key not in wanted]
    if strange:
        notes.append(
            f"{len(strange)} result files belong to no sequence of the data set, such as "
            f"{strange[0]}: not scored"
        )
    return notes


def _missing_note(missing: Sequence[str], count: int, convention: Convention) -> list[str]:
    if not missing:
        return []
    effect = (
        f"scored as failures, as {convention.tool} does"
        if convention.zeros_for_missing
        else "left out, so the numbers are not those of the whole set"
    )
    return [f"{len(missing)} of {count} sequences have no results, such as {missing[0]}: {effect}"]
