"""`arvot tune`: settings of a tracker are searched on sequences, and judged on others."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from alpharefine.errors import UsageError
from alpharefine.overrides import Overrides
from vot_integration.files import write_text
from vot_integration.pipeline.tune_plan import TunePlan
from vot_integration.report.bootstrap import percentile_interval, resample_means
from vot_integration.report.compare import compare
from vot_integration.tuning.jobs import TrialJob, require
from vot_integration.tuning.measure import Answers, Measured, value_of
from vot_integration.tuning.study import TrialPoint, TuningStudy


@dataclass(frozen=True)
class HeldOut:
    """Own and tuned settings on sequences that were not tuned on.

    Attributes:
        default: the objective with the tracker's own settings, 0..1.
        tuned: with the tuned ones.
        low: of the 95 % bootstrap interval of tuned minus default, None with one sequence.
        high: likewise.
        sequences: their names.
        looks: how often these sequences were looked at in this study, this time included.
    """

    default: float
    tuned: float
    low: float | None
    high: float | None
    sequences: Sequence[str]
    looks: int


@dataclass(frozen=True)
class Tuned:
    """What tuning has found.

    Attributes:
        plan: of the tuning.
        points: all trials.
        best: the best one.
        default: the trial of the tracker's own settings; None where they are out of range.
        importances: of the settings.
        held_out: judgment; None without held-out sequences.
    """

    plan: TunePlan
    points: Sequence[TrialPoint]
    best: TrialPoint
    default: TrialPoint | None
    importances: Mapping[str, float]
    held_out: HeldOut | None

    def to_json(self) -> dict[str, Any]:
        """The document of `--json`."""
        held_out = None
        if self.held_out is not None:
            held_out = {
                "default": self.held_out.default,
                "tuned": self.held_out.tuned,
                "difference": self.held_out.tuned - self.held_out.default,
                "interval": None
                if self.held_out.low is None
                else [self.held_out.low, self.held_out.high],
                "sequences": list(self.held_out.sequences),
                "looks": self.held_out.looks,
            }
        return {
            "tracker": self.plan.tracker,
            "objective": self.plan.objective,
            "trials": len(self.points),
            "pruned": sum(point.is_pruned for point in self.points),
            "best": {"trial": self.best.number, "value": self.best.value, **_values(self.best)},
            "default": None if self.default is None else self.default.value,
            "tuned_on": [path.name for path in self.plan.sequences],
            "importances": dict(self.importances),
            "held_out": held_out,
            "config": str(self.plan.output),
        }


def tune(plan: TunePlan, on_progress: Callable[[int, TrialPoint | None], None]) -> Tuned:
    """Run the trials that are missing, judge the best one, and write settings and pictures.

    Args:
        plan: what is to be done.
        on_progress: is told how many trials have ended, and the best one.

    Raises:
        UsageError: the study is of another tuning, or another process is at work on it.
        EvaluationError: a trial failed; those that have ended are kept.
    """
    # Not the study's name with ".lock", which is Optuna's.
    lock = FileLock(plan.study.with_name(f".{plan.study.name}.busy"), timeout=0)
    try:
        with lock:
            return _tune(plan, on_progress)
    except Timeout as error:
        raise UsageError(
            f"another process is at work on {plan.study}: wait for its end, or name another "
            "--study; --jobs runs trials at the same time"
        ) from error


def _tune(plan: TunePlan, on_progress: Callable[[int, TrialPoint | None], None]) -> Tuned:
    place = plan.study.with_name(f".arvot-tune-{plan.study.stem}")

    def left(number: int) -> Answers | None:
        return plan.job(number, {}, place).answers()

    study = TuningStudy(plan.study, plan.facts(), plan.space, plan.start, left)
    on_progress(len(study.ended), study.best)
    with _fresh(place):
        while len(study.ended) < plan.trials:
            _run_batch(plan, study, place, on_progress)
        best = study.best
        if best is None:
            raise UsageError("all trials were pruned: run more of them")
        held_out = _judge(plan, study, best, place) if plan.held_out else None
    points = study.ended
    first = points[0]
    is_default = all(first.values.get(n) == value for n, value in plan.start.items())
    found = Tuned(plan, points, best, first if is_default else None, study.importances(), held_out)
    write_text(plan.output, overrides_of(found).to_toml())
    return found


@contextmanager
def _fresh(folder: Path) -> Iterator[None]:
    """An empty folder that is gone afterwards; one that a killed process has left is emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def overrides_of(found: Tuned) -> Overrides:
    """The tuned settings, with all that results made with them must say."""
    plan = found.plan
    tuned: dict[str, Any] = {
        "objective": plan.objective,
        "value": found.best.value,
        "trials": len(found.points),
        "sequences": [path.name for path in plan.sequences],
        "study": plan.study.name,
    }
    if found.held_out is not None:
        tuned["held_out_default"] = found.held_out.default
        tuned["held_out_tuned"] = found.held_out.tuned
    return Overrides(plan.name, found.best.values, tuned)


def _run_batch(
    plan: TunePlan,
    study: TuningStudy,
    place: Path,
    on_progress: Callable[[int, TrialPoint | None], None],
) -> None:
    best = study.best
    missing = plan.trials - len(study.ended)
    waiting: dict[int, TrialJob] = {}
    for _ in range(min(plan.workers.count, missing)):
        number, values = study.ask()
        running = () if best is None else best.running
        waiting[number] = plan.job(number, values, place, running)
    jobs = list(waiting.values())

    def collect() -> None:
        for number, job in list(waiting.items()):
            answers = job.answers()
            if answers is not None:
                study.tell(number, answers)
                del waiting[number]
                on_progress(len(study.ended), study.best)

    outcomes = plan.workers.run(jobs, collect)
    collect()
    for job in waiting.values():
        require(job, outcomes)


def _judge(plan: TunePlan, study: TuningStudy, best: TrialPoint, place: Path) -> HeldOut:
    """Score own and tuned settings on held-out sequences, unless that was done."""
    names = [path.name for path in plan.held_out]
    for look in study.held_out:
        if look["trial"] == best.number and look["sequences"] == names:
            return _held_out(look, study)
    jobs = [
        plan.job("default", {}, place, sequences=plan.held_out),
        plan.job("tuned", best.values, place, sequences=plan.held_out),
    ]
    outcomes = plan.workers.run(jobs, lambda: None)
    default, tuned = (require(job, outcomes) for job in jobs)
    bounds = _interval_of_difference(default, tuned, plan)
    look = {
        "trial": best.number,
        "sequences": names,
        "default": value_of(default.measured, plan.interval),
        "tuned": value_of(tuned.measured, plan.interval),
        "interval": bounds,
    }
    study.keep_held_out(look)
    return _held_out(look, study)


def _held_out(look: Mapping[str, Any], study: TuningStudy) -> HeldOut:
    low, high = look["interval"] or (None, None)
    looks = sum(other["sequences"] == look["sequences"] for other in study.held_out)
    return HeldOut(look["default"], look["tuned"], low, high, look["sequences"], looks)


def _interval_of_difference(
    default: Answers, tuned: Answers, plan: TunePlan
) -> tuple[float, float] | None:
    if len(default.measured) < 2:
        return None
    if plan.objective == "eao":
        runs = [
            [entry.runs for entry in answers.measured if entry.runs is not None]
            for answers in (tuned, default)
        ]
        bounds = compare(runs[0], runs[1], plan.interval)[0].interval
    else:
        bounds = percentile_interval(
            resample_means(_areas(tuned.measured) - _areas(default.measured))
        )
    return None if bounds is None else (bounds.low, bounds.high)


def _areas(measured: Sequence[Measured]) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.array([entry.auc for entry in measured], dtype=np.float64)


def _values(point: TrialPoint) -> dict[str, Any]:
    return {"values": dict(point.values)}
