"""One-pass runs as jobs of workers, on this machine or on others."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.data.images import FrameFiles
from alpharefine.errors import UsageError
from vot_integration.cluster.parcel import SentWeights, gather_weights, read_files
from vot_integration.evaluation.jobs import Outcome
from vot_integration.files import write_bytes, write_text
from vot_integration.onepass.results import MASKS, ResultFolder
from vot_integration.onepass.sequences import OnePassSequence
from vot_integration.onepass.work import Work, start_work
from vot_integration.track.choice import Choice
from vot_integration.workspaces.own_trackers import Section
from vot_integration.workspaces.records import TrackerRecord, place_overrides, repeat_record
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, workspace_ini


@dataclass(frozen=True)
class OnePassJob:
    """Sequences for one process; see `vot_integration.evaluation.jobs.Job`.

    Attributes:
        work: what is to be done.
        record: how the tracker runs.
        own: the tracker's section of trackers.ini where it is one of the user's own.
        log: file for the output.
    """

    work: Work
    record: TrackerRecord
    own: Mapping[str, Section]
    log: Path

    @property
    def folder(self) -> Path:
        """Folder of the results."""
        return self.work.results

    @property
    def names(self) -> Sequence[str]:
        """Names of the sequences."""
        return [sequence.name for sequence in self.work.sequences]

    def run(self, environment: Mapping[str, str], on_tick: Callable[[], None]) -> Outcome:
        """Run through the sequences in a process."""
        return start_work(self.work, environment, self.log, on_tick)

    def weights(self) -> list[SentWeights] | None:
        """Files of the tracker's weights."""
        return gather_weights(self.record)

    def parcel(self, *, send: bool) -> "OnePassParcel":
        """The work with or without its frames."""
        frames = {s.name: _read_frames(s) for s in self.work.sequences} if send else None
        return OnePassParcel(self.work, self.record, self.own, frames)

    def store(self, answer: "OnePassAnswer") -> Outcome:
        """Put finished sequences into the folder of results."""
        folder = ResultFolder(self.folder)
        for sequence in self.work.sequences:
            boxes = folder.boxes(sequence)
            if boxes.name in answer.files and not folder.is_done(sequence):
                of_sequence = (folder.times(sequence).name, f"{MASKS}/{sequence.name}/")
                for path, content in answer.files.items():
                    if path.startswith(of_sequence):
                        (folder.path / path).parent.mkdir(parents=True, exist_ok=True)
                        write_bytes(folder.path / path, content)
                write_bytes(boxes, answer.files[boxes.name])
        return Outcome(answer.succeeded, answer.output)


@dataclass(frozen=True)
class OnePassAnswer:
    """What another machine has done: outcome, and content of files by their relative paths."""

    succeeded: bool
    output: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class OnePassParcel:
    """A job on its way to another machine.

    Attributes:
        job: work with paths as the sender sees them.
        record: how the tracker is to run.
        own: its section of trackers.ini where it is one of the user's own.
        frames: content of the frames of each sequence; None where that machine sees them.
    """

    job: Work
    record: TrackerRecord
    own: Mapping[str, Section]
    frames: Mapping[str, Sequence[bytes]] | None

    def work(
        self, weights: Sequence[SentWeights] | None, environment: Mapping[str, str]
    ) -> OnePassAnswer:
        """See `vot_integration.evaluation.jobs.Parcel`."""
        with tempfile.TemporaryDirectory(prefix="arvot-node-") as name:
            return self._work_in(Path(name), weights, environment)

    def _work_in(
        self, folder: Path, weights: Sequence[SentWeights] | None, environment: Mapping[str, str]
    ) -> OnePassAnswer:
        choice = self._choice(folder, weights)
        sequences = tuple(self._place(sequence, folder) for sequence in self.job.sequences)
        here = Work(choice, sequences, folder / "results", self.job.keep_masks)
        outcome = start_work(here, environment, folder / "work.log", lambda: None)
        files = read_files(here.results, "**/*") if here.results.is_dir() else {}
        return OnePassAnswer(outcome.succeeded, outcome.output, files)

    def _choice(self, folder: Path, weights: Sequence[SentWeights] | None) -> Choice:
        choice = replace(self.job.choice, workspace=folder, trackers=None)
        if self.own:
            write_text(folder / TRACKERS_FILE, workspace_ini(folder, {}, self.own))
            return choice
        if weights is not None:
            items = ",".join(entry.place(folder) for entry in weights)
            choice = replace(choice, settings=replace(choice.settings, weights=items))
        settings = place_overrides(folder, choice.settings, self.record)
        choice = replace(choice, settings=settings)
        repeat_record(choice.tracker, choice.settings, self.record)
        return choice

    def _place(self, sequence: OnePassSequence, folder: Path) -> OnePassSequence:
        if self.frames is None:
            if not sequence.frames[0].is_file():
                raise UsageError(
                    f"this machine does not see {sequence.frames[0]}: put the data set on a shared "
                    "path, or let frames be sent with --ray-send"
                )
            return sequence
        place = folder / "frames" / sequence.name
        place.mkdir(parents=True)
        names = []
        for number, content in enumerate(self.frames[sequence.name]):
            name = f"{number:08d}{sequence.frames[number].suffix}"
            (place / name).write_bytes(content)
            names.append(name)
        return replace(sequence, frames=FrameFiles(place, tuple(names)))


def _read_frames(sequence: OnePassSequence) -> list[bytes]:
    return [sequence.frames[number].read_bytes() for number in range(sequence.count)]
