"""Table and figure of `refinement_gain.py`, from results of sequences."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from alpharefine.onepass.conventions import find_convention
from alpharefine.onepass.measures import Truth
from alpharefine.onepass.measures import measure_sequence as measure_success
from vot_integration.files import write_text
from vot_integration.report.bootstrap import percentile_interval, resample, resample_means
from vot_integration.report.measures import (
    FailureRule,
    SequenceMeasures,
    combine,
    measure_sequence,
)
from vot_integration.report.plots import new_figure, svg
from vot_integration.report.trajectories import TrackedRun
from vot_integration.toolkit.results import Run

KINDS = ("base", "box", "mask")
"""The base tracker alone, and its refined form's boxes and masks."""

_OVERALL = "all"
"""Stands for all sets together."""
_RULES = find_convention("official", "vot")


@dataclass(frozen=True)
class SequenceResult:
    """One kind of answers in one sequence.

    Attributes:
        sequence: its name.
        frames: its length.
        overlaps: of each run, a number a frame; 0 in the first one.
        present: whether the target is there, likewise.
        boxes: answers of the whole run from its second frame on, (x, y, w, h).
        truth: of the whole run from its first frame on, NaN where the target is absent.
    """

    sequence: str
    frames: int
    overlaps: Sequence[Sequence[float]]
    present: Sequence[Sequence[bool]]
    boxes: Sequence[Sequence[float]]
    truth: Sequence[Sequence[float]]

    def plain(self) -> dict[str, Any]:
        """For a JSON file; the arguments of an equal result."""
        return asdict(self)

    def measures(self, length: int) -> SequenceMeasures:
        """What its runs add to an EAO curve of so many frames."""
        runs = [
            _tracked(self.sequence, np.array(overlaps), np.array(present))
            for overlaps, present in zip(self.overlaps, self.present, strict=True)
        ]
        return measure_sequence(self.sequence, self.frames, runs, FailureRule(), length)

    @property
    def success(self) -> float:
        """Area under the success curve of the whole run's boxes, 0..1."""
        truth = np.array(self.truth, np.float64)
        boxes = np.concatenate([truth[:1], np.array(self.boxes, np.float64).reshape(-1, 4)])
        score = measure_success(boxes, Truth(self.sequence, truth), _RULES)
        return float(score.curves.success.mean())


def _tracked(name: str, overlaps: NDArray[np.float64], present: NDArray[np.bool_]) -> TrackedRun:
    count = len(overlaps)
    reported = np.ones(count, np.bool_)
    return TrackedRun(
        Run("baseline", name, name, count),
        np.arange(count),
        overlaps,
        present,
        reported,
        ~reported,
        np.full(count, np.nan),
    )


@dataclass(frozen=True)
class Scores:
    """Scores of one kind of answers, 0..1.

    Attributes:
        eao: expected average overlap; None where no run is long enough.
        accuracy: mean overlap until failure.
        robustness: share of frames until failure.
        success: area under the one-pass success curve of boxes.
        eao_gain: over the base tracker, and the ends of its interval; None for the base tracker.
        success_gain: likewise.
    """

    eao: float | None
    accuracy: float
    robustness: float
    success: float
    eao_gain: tuple[float, float, float] | None = None
    success_gain: tuple[float, float, float] | None = None


Named = tuple[str, str, SequenceResult]
"""Set, kind and result."""


def score(results: Sequence[Named], interval: tuple[int, int]) -> dict[str, dict[str, Scores]]:
    """Set -> kind -> scores; the last set is all of them together, where there are several."""
    sets = list(dict.fromkeys(name for name, _, _ in results))
    groups = {name: [r for r in results if r[0] == name] for name in sets}
    if len(sets) > 1:
        groups[_OVERALL] = list(results)
    return {name: _score_set(group, interval) for name, group in groups.items()}


def _score_set(results: Sequence[Named], interval: tuple[int, int]) -> dict[str, Scores]:
    scores: dict[str, Scores] = {}
    length = interval[1] + 1
    by_kind = {kind: [r for _, k, r in results if k == kind] for kind in KINDS}
    measures = {k: [r.measures(length) for r in found] for k, found in by_kind.items() if found}
    success = {k: np.array([r.success for r in found]) for k, found in by_kind.items() if found}
    base_samples = resample(measures["base"], interval)
    for kind, found in measures.items():
        total = combine(found, interval)
        gain = success_gain = None
        if kind != "base":
            base_eao = scores["base"].eao
            if total.eao is not None and base_eao is not None:
                samples = resample(found, interval).eao - base_samples.eao
                bounds = percentile_interval(samples)
                gain = (total.eao - base_eao, bounds.low, bounds.high)
            more = success[kind] - success["base"]
            bounds = percentile_interval(resample_means(more))
            success_gain = (float(more.mean()), bounds.low, bounds.high)
        scores[kind] = Scores(
            total.eao,
            total.accuracy,
            total.robustness,
            float(success[kind].mean()),
            gain,
            success_gain,
        )
    return scores


def write_report(
    rows: Mapping[tuple[str, str], Sequence[Named]], interval: tuple[int, int], output: Path
) -> str:
    """Write table.md, table.json, gain.svg and gain.png.

    Args:
        rows: base tracker and refinement -> its results.
        interval: first and last frame of the EAO.
        output: folder; times are read from the folder `times` in it, where there are some.

    Returns:
        The table.
    """
    scores = {names: score(results, interval) for names, results in rows.items()}
    times = {base: _times(output / "times" / f"{base}.json") for base, _ in rows}
    sets = list(next(iter(scores.values())))
    text = "\n\n".join(_table(name, scores, times) for name in sets) + "\n"
    write_text(output / "table.md", text)
    plain = [
        {
            "base": base,
            "refinement": refinement,
            "sets": {
                name: {kind: asdict(s) for kind, s in kinds.items()}
                for name, kinds in scores[base, refinement].items()
            },
            "times": times[base],
        }
        for base, refinement in rows
    ]
    write_text(output / "table.json", json.dumps(plain, indent=1) + "\n")
    _draw({base: found[sets[-1]] for (base, _), found in scores.items()}, sets[-1], output)
    return text


def _times(file: Path) -> Mapping[str, Mapping[str, float]]:
    if not file.is_file():
        return {}
    found: Mapping[str, Mapping[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _table(
    name: str,
    scores: Mapping[tuple[str, str], Mapping[str, Mapping[str, Scores]]],
    times: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> str:
    lines = [
        f"## {name}",
        "",
        "| tracker | refined by | EAO | success | gain of EAO | gain of success | ms | U |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (base, refinement), sets in scores.items():
        for kind, found in sets[name].items():
            time = times[base].get(kind, {})
            cells = (
                base if kind == "base" else f"{base} + {kind}",
                "" if kind == "base" else refinement,
                _number(found.eao),
                _number(found.success),
                _gain(found.eao_gain),
                # Masks are no other boxes.
                "" if kind == "mask" else _gain(found.success_gain),
                _number(time.get("ms"), ".1f", ""),
                _number(time.get("units"), ".2f", ""),
            )
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _number(value: float | None, form: str = ".3f", absent: str = "-") -> str:
    return absent if value is None or not math.isfinite(value) else format(value, form)


def _gain(gain: tuple[float, float, float] | None) -> str:
    return "" if gain is None else "{:+.3f} ({:+.3f} to {:+.3f})".format(*gain)


def _draw(scores: Mapping[str, Mapping[str, Scores]], name: str, output: Path) -> None:
    """Success of each base tracker and of its refined boxes, the best refined one on top."""
    with mpl.rc_context({"axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = new_figure(7, 0.9 + 0.45 * len(scores))
        refined = {base: s.get("box", s["base"]).success for base, s in scores.items()}
        order = sorted(scores, key=refined.__getitem__)
        for place, base in enumerate(order):
            before, after = scores[base]["base"].success, refined[base]
            axes.plot([before, after], [place, place], color="0.75", linewidth=3, zorder=1)
            axes.annotate(
                f"{after - before:+.3f}",
                (max(before, after), place),
                (8, 0),
                textcoords="offset points",
                va="center",
            )
        places = range(len(order))
        alone = [scores[base]["base"].success for base in order]
        axes.scatter(alone, places, color="#5b7aa8", zorder=2, label="alone")
        together = [refined[base] for base in order]
        axes.scatter(together, places, color="#c2553b", zorder=2, label="with Alpha-Refine")
        axes.set_yticks(list(places), order)
        axes.set_xlabel(f"success (area under the curve), {name}")
        axes.margins(x=0.12, y=0.6 / len(order))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
        write_text(output / "gain.svg", svg(figure))
        figure.savefig(output / "gain.png", dpi=150, bbox_inches="tight")
