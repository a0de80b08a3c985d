"""Everything a report shows of one tracker, and the published rows beside it."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from vot_integration.report.measures import (
    SequenceMeasures,
    failure_rule,
    frames_until_failure,
    measure_sequence,
)
from vot_integration.report.trajectories import TrackedRun, read_runs
from vot_integration.sequences.folder import SequenceFolder, read_sequence_folder
from vot_integration.toolkit.experiments import experiment_type
from vot_integration.toolkit.results import RunTally, tally_runs
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.workspace import Workspace


@dataclass(frozen=True)
class ExperimentResults:
    """Results of one tracker in one experiment.

    Attributes:
        name: of the experiment.
        is_realtime: whether late answers cost frames.
        runs: by name of the sequence.
        measures: of each sequence; empty unless the experiment is multi-start.
        failures: for each run, by its name, the index in the run of the frame where it failed.
        tally: sums over the runs.
    """

    name: str
    is_realtime: bool
    runs: Mapping[str, Sequence[TrackedRun]]
    measures: Sequence[SequenceMeasures]
    failures: Mapping[str, Sequence[int]]
    tally: RunTally


def read_sequences(workspace: Workspace) -> list[SequenceFolder]:
    """The sequences of a workspace with their labels."""
    several = workspace.stack.has_several_objects()
    return [
        read_sequence_folder(entry.path, several=several) for entry in workspace.dataset.sequences
    ]


def collect(
    workspace: Workspace, tracker: str, sequences: Sequence[SequenceFolder]
) -> Iterator[ExperimentResults]:
    """Gather a tracker's results.

    Args:
        workspace: with the experiments to gather, all of which are complete.
        tracker: registered name.
        sequences: those of the workspace.
    """
    length = workspace.interval[1] if workspace.interval else 1
    for name, definition in workspace.stack.experiments.items():
        runs = {
            sequence.name: list(read_runs(workspace, tracker, name, sequence))
            for sequence in sequences
        }
        anchored = experiment_type(definition).starts_at_anchors
        rule = failure_rule(definition)
        measures = []
        if anchored:
            measures = [
                measure_sequence(sequence.name, sequence.length, runs[sequence.name], rule, length)
                for sequence in sequences
            ]
        yield ExperimentResults(
            name,
            bool(definition.get("realtime")),
            runs,
            measures,
            {
                run.run.name: _failures(run, anchored, frames_until_failure(run, rule))
                for tracked in runs.values()
                for run in tracked
            },
            tally_runs(workspace.runs_of(name), workspace.results(tracker)),
        )


def skipped_frames(run: TrackedRun) -> int:
    """Frames of a real-time run for which the tracker was still busy; they cost it no time."""
    return int((run.seconds[1:] == 0).sum())


def _failures(run: TrackedRun, anchored: bool, tracked: int) -> list[int]:
    if anchored:
        return [tracked] if tracked < len(run.overlaps) else []
    return [int(frame) for frame in run.failed.nonzero()[0]]


@dataclass(frozen=True)
class Published:
    """One published row.

    Attributes:
        tracker: as published.
        stack: the toolkit's name of the stack.
        experiment: name of the experiment.
        eao: expected average overlap.
        accuracy: 0..1.
        robustness: 0..1.
        source: the document.
    """

    tracker: str
    stack: str
    experiment: str
    source: str
    eao: float
    accuracy: float
    robustness: float


def published_rows(workspace: Workspace) -> list[Published]:
    """Rows for a workspace's experiments; none unless stack, interval and data are official."""
    stack = workspace.stack
    if stack.from_file or not workspace.dataset.is_official():
        return []
    if load_stack(stack.name).find_interval() != workspace.interval:
        return []
    file = resources.files("vot_integration") / "resources" / "published.toml"
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["row"]
    found = [Published(**row) for row in rows]
    return [row for row in found if row.stack == stack.name and row.experiment in stack.experiments]
