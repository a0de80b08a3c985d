"""`arvot tune`: settings of a tracker are searched on sequences, and judged on others."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from alpharefine.catalogue import find_tracker
from alpharefine.errors import UsageError
from alpharefine.overrides import Overrides, get_setting, replace_setting
from alpharefine.search_space import Range, find_space, read_space
from vot_integration.evaluation.workers import Workers
from vot_integration.files import absolute, check_target, write_text
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.report.bootstrap import percentile_interval, resample_means
from vot_integration.report.compare import compare
from vot_integration.sequences.folder import read_list, read_sequence_folder
from vot_integration.toolkit.stacks import EaoInterval
from vot_integration.tuning.jobs import TrialJob, TrialWork, require
from vot_integration.tuning.measure import Answers, Measured, Objective, check_sequence, value_of
from vot_integration.tuning.study import TrialPoint, TuningStudy
from vot_integration.workspaces.records import TrackerRecord, make_record
from vot_integration.workspaces.trackers_ini import TrackerSettings, registrations

DEFAULT_INTERVAL = (30, 100)


@dataclass(frozen=True)
class TuneOptions:
    """Options of `arvot tune`, as the user gave them.

    Attributes:
        tracker: registered name.
        sequences: folder with list.txt.
        trials: how many are to have ended.
        objective: what is maximized.
        space: file of ranges; None for those that the tracker declares.
        held_out: folder with list.txt, judged once at the end; or None.
        study: file; None for tune-TRACKER.journal.
        output: file of settings to write; None for TRACKER-tuned.toml.
        interval: first and last frame of the EAO interval.
        settings: how the tracker runs.
        workers: who runs trials.
    """

    tracker: str
    sequences: Path
    trials: int
    objective: Objective = "auc"
    space: Path | None = None
    held_out: Path | None = None
    study: Path | None = None
    output: Path | None = None
    interval: EaoInterval | None = None
    settings: TrackerSettings = field(default_factory=TrackerSettings)
    workers: WorkerOptions = field(default_factory=WorkerOptions)


@dataclass(frozen=True)
class TunePlan:
    """A tuning, checked; nothing is written yet.

    Attributes:
        tracker: registered name.
        name: in the catalog.
        sequences: folders to tune on.
        held_out: folders to judge on.
        trials: how many are to have ended.
        objective: what is maximized.
        interval: of EAO.
        space: settings to search.
        start: the tracker's own values of these.
        study: file.
        output: file of settings.
        record: how the tracker runs.
        workers: who runs trials.
    """

    tracker: str
    name: str
    sequences: tuple[Path, ...]
    held_out: tuple[Path, ...]
    trials: int
    objective: Objective
    interval: tuple[int, int]
    space: Mapping[str, Range]
    start: Mapping[str, float]
    study: Path
    output: Path
    record: TrackerRecord
    workers: Workers

    @property
    def page(self) -> Path:
        """File of the pictures."""
        return self.study.with_suffix(".html")

    def facts(self) -> dict[str, Any]:
        """What trials depend on."""
        return {
            "tracker": self.tracker,
            "weights": self.record.sha256,
            "precision": self.record.precision,
            "objective": self.objective,
            "interval": list(self.interval) if self.objective == "eao" else None,
            "sequences": [path.name for path in self.sequences],
            "space": {n: [b.low, b.high, b.whole, b.log] for n, b in sorted(self.space.items())},
        }

    def job(
        self,
        number: int | str,
        values: Mapping[str, float],
        place: Path,
        best: tuple[float, ...] = (),
        sequences: tuple[Path, ...] | None = None,
    ) -> TrialJob:
        """A trial of values."""
        work = TrialWork(
            self.tracker,
            self.record.settings,
            values,
            self.sequences if sequences is None else sequences,
            self.objective,
            self.interval,
            best,
        )
        return TrialJob(number, work, self.record, place)


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


def plan_tuning(options: TuneOptions) -> TunePlan:
    """Check all options; nothing is written.

    Raises:
        UsageError: an option is wrong.
    """
    registration = registrations().get(options.tracker)
    if registration is None:
        raise UsageError(
            f"unknown tracker {options.tracker!r}: settings of arvot's own trackers are tuned; "
            f"choose from {', '.join(registrations())}"
        )
    if options.trials < 1:
        raise UsageError(f"--trials {options.trials}: give a number of trials, 1 or more")
    first, last = options.interval or DEFAULT_INTERVAL
    if not 1 <= first <= last:
        raise UsageError(
            f"--eao-interval {first} {last}: give the first and the last of some numbers of frames"
        )
    spec = find_tracker(registration.tracker)
    space = find_space(spec) if options.space is None else read_space(options.space)
    start = {}
    for name, bounds in space.items():
        # Both ends must be settings; this also finds names that are none.
        for bound in (bounds.low, bounds.high):
            replace_setting(spec, name, int(bound) if bounds.whole else bound)
        start[name] = get_setting(spec, name)
    sequences = _read_sequences(options.sequences, options.objective)
    held_out: tuple[Path, ...] = ()
    if options.held_out is not None:
        held_out = _read_sequences(options.held_out, options.objective)
        shared = sorted({path.name for path in sequences} & {path.name for path in held_out})
        if shared:
            raise UsageError(
                f"--held-out {options.held_out} has {shared[0]}, which is tuned on: held-out "
                "sequences must be others"
            )
    study = absolute(options.study or Path(f"tune-{options.tracker}.journal"))
    output = absolute(options.output or Path(f"{options.tracker}-tuned.toml"))
    check_target(study, "--study")
    check_target(output, "--output")
    record = make_record(options.tracker, options.settings, {})
    return TunePlan(
        options.tracker,
        registration.tracker,
        sequences,
        held_out,
        options.trials,
        options.objective,
        options.interval or DEFAULT_INTERVAL,
        space,
        {name: value for name, value in start.items() if isinstance(value, int | float)},
        study,
        output,
        record,
        choose_workers(options.workers, record.device),
    )


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


def _read_sequences(folder: Path, objective: Objective) -> tuple[Path, ...]:
    paths = tuple(absolute(path) for path in read_list(folder))
    for path in paths:
        check_sequence(read_sequence_folder(path), objective)
    return paths


def _values(point: TrialPoint) -> dict[str, Any]:
    return {"values": dict(point.values)}
