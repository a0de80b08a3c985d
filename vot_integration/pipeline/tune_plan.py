"""What `arvot tune` is to do: options as the user gave them, checked into a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpharefine.catalogue import find_tracker
from alpharefine.errors import UsageError
from alpharefine.overrides import get_setting, replace_setting
from alpharefine.search_space import Range, find_space, read_space
from vot_integration.evaluation.workers import Workers
from vot_integration.files import absolute, check_target
from vot_integration.pipeline.workers import WorkerOptions, choose_workers
from vot_integration.sequences.folder import read_list, read_sequence_folder
from vot_integration.toolkit.stacks import EaoInterval
from vot_integration.tuning.jobs import TrialJob, TrialWork
from vot_integration.tuning.measure import Objective, check_sequence
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


def _read_sequences(folder: Path, objective: Objective) -> tuple[Path, ...]:
    paths = tuple(absolute(path) for path in read_list(folder))
    for path in paths:
        check_sequence(read_sequence_folder(path), objective)
    return paths
