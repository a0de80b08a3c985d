"""Trials as jobs of workers, on this machine or on others."""

import pickle
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.overrides import Overrides, apply_overrides
from vot_integration.child import run_module
from vot_integration.cluster.parcel import SentWeights, gather_weights, pack_folder, unpack_folder
from vot_integration.errors import EvaluationError
from vot_integration.evaluation.jobs import Outcome
from vot_integration.files import absolute, write_bytes
from vot_integration.sequences.folder import read_sequence_folder
from vot_integration.tuning.measure import Answers, Objective, measure_all
from vot_integration.workspaces.records import TrackerRecord, repeat_record
from vot_integration.workspaces.trackers_ini import TrackerSettings, registrations

MODULE = "vot_integration.tuning"


@dataclass(frozen=True)
class TrialWork:
    """What a trial's process is to do.

    Attributes:
        tracker: registered name.
        settings: how it runs.
        values: settings by their names with dots.
        sequences: folders in VOT format.
        objective: what is measured.
        interval: first and last frame of the EAO interval.
        best: running values of the best trial so far.
    """

    tracker: str
    settings: TrackerSettings
    values: Mapping[str, float]
    sequences: tuple[Path, ...]
    objective: Objective
    interval: tuple[int, int]
    best: tuple[float, ...] = ()


@dataclass(frozen=True)
class TrialJob:
    """One trial; see `vot_integration.evaluation.jobs.Job`.

    Attributes:
        number: of the trial; what is no trial has a word.
        work: what is to be done.
        record: how the tracker runs without the trial's settings.
        place: folder for the answer and the log.
    """

    number: int | str
    work: TrialWork
    record: TrackerRecord
    place: Path

    @property
    def folder(self) -> Path:
        """Folder of the answer."""
        return self.place

    @property
    def names(self) -> Sequence[str]:
        """The trial."""
        return [f"trial {self.number}"]

    @property
    def file(self) -> Path:
        """File of the answer."""
        return self.place / f"{self.number}.answer"

    def run(self, environment: Mapping[str, str], on_tick: Callable[[], None]) -> Outcome:
        """Run the trial in a process."""
        return start_trial(self.work, self.file, environment, on_tick)

    def weights(self) -> list[SentWeights] | None:
        """Files of the tracker's weights."""
        return gather_weights(self.record)

    def parcel(self, *, send: bool) -> "TrialParcel":
        """The trial with or without its sequences."""
        archives = tuple(map(pack_folder, self.work.sequences)) if send else None
        return TrialParcel(self.work, self.record, archives)

    def store(self, answer: "TrialAnswer") -> Outcome:
        """Keep the answer."""
        if answer.content is not None:
            write_bytes(self.file, answer.content)
        return Outcome(answer.content is not None, answer.output)

    def answers(self) -> Answers | None:
        """What the trial has found; None before its end."""
        if not self.file.is_file():
            return None
        found: Answers = pickle.loads(self.file.read_bytes())
        return found


@dataclass(frozen=True)
class TrialAnswer:
    """What another machine says: the answer's content, None after a failure, and the output."""

    content: bytes | None
    output: str


@dataclass(frozen=True)
class TrialParcel:
    """A trial on its way to another machine.

    Attributes:
        trial: with paths as the sender sees them.
        record: how the tracker is to run.
        archives: tar files of the sequences; None where that machine sees them.
    """

    trial: TrialWork
    record: TrackerRecord
    archives: tuple[bytes, ...] | None

    def work(
        self, weights: Sequence[SentWeights] | None, environment: Mapping[str, str]
    ) -> TrialAnswer:
        """See `vot_integration.evaluation.jobs.Parcel`."""
        with tempfile.TemporaryDirectory(prefix="arvot-node-") as name:
            folder = Path(name)
            trial = self.trial
            if weights is not None:
                items = ",".join(entry.place(folder) for entry in weights)
                trial = replace(trial, settings=replace(trial.settings, weights=items))
            repeat_record(trial.tracker, trial.settings, self.record)
            if self.archives is not None:
                places = []
                for path, content in zip(trial.sequences, self.archives, strict=True):
                    unpack_folder(content, folder / "sequences" / path.name)
                    places.append(folder / "sequences" / path.name)
                trial = replace(trial, sequences=tuple(places))
            file = folder / "trial.answer"
            outcome = start_trial(trial, file, environment, lambda: None)
            return TrialAnswer(file.read_bytes() if file.is_file() else None, outcome.output)


def start_trial(
    work: TrialWork, file: Path, environment: Mapping[str, str], on_tick: Callable[[], None]
) -> Outcome:
    """Run a trial in a process of its own.

    Args:
        work: what to do.
        file: for the answer, which is there when it has ended well.
        environment: variables for the process.
        on_tick: called about twice a second meanwhile.
    """
    # The process works in the file's folder.
    file = absolute(file)
    task = file.with_suffix(".job")
    task.write_bytes(pickle.dumps((work, file)))
    try:
        status, output = run_module(
            MODULE,
            [str(task)],
            cwd=file.parent,
            log=file.with_suffix(".log"),
            on_tick=on_tick,
            environment=environment,
        )
    finally:
        task.unlink(missing_ok=True)
    return Outcome(status == 0 and file.is_file(), output)


def run_trial(work: TrialWork, file: Path) -> None:
    """Do what a trial's process is for, and write the answer in one step.

    Raises:
        UsageError: a setting cannot be.
        EvaluationError: the tracker failed.
    """
    from alpharefine.build import build_tracker
    from alpharefine.catalogue import find_tracker
    from vot_integration.track.follower import CatalogFollower

    registration = registrations()[work.tracker]
    overrides = Overrides(registration.tracker, work.values)
    spec = apply_overrides(find_tracker(registration.tracker), overrides)
    tracker = build_tracker(
        spec,
        device=work.settings.device or "auto",
        precision=work.settings.precision or "auto",
        weights=work.settings.weights,
    )
    sequences = [read_sequence_folder(path) for path in work.sequences]
    follower = CatalogFollower(tracker, registration.output)
    found = measure_all(follower, sequences, work.objective, work.interval, work.best)
    write_bytes(file, pickle.dumps(found))


def require(job: TrialJob, outcomes: Sequence[Outcome]) -> Answers:
    """The answer of a job that has run.

    Raises:
        EvaluationError: it failed.
    """
    found = job.answers()
    if found is None:
        failed = [outcome.output for outcome in outcomes if not outcome.succeeded]
        raise EvaluationError(f"trial {job.number} failed:\n{''.join(failed[:1])[-2000:]}")
    return found
