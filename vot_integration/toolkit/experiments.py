"""The experiments that the toolkit makes, and the runs that each of them consists of.

To add a protocol: a function that lists its runs, and an entry in `EXPERIMENT_TYPES`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alpharefine.errors import UsageError
from vot_integration.toolkit.results import Run

EARLY_STOP_RUNS = 3
"""Repetitions after which the toolkit stops when all were equal."""

MENDED = "vot_integration.toolkit.v09_experiments"
"""Where experiments are that version 0.9 of the toolkit can run."""

Definition = Mapping[str, Any]
"""An experiment as it stands in a stack file."""


class AnchoredSequence(Protocol):
    """What is needed of a sequence.

    `anchors` has a number a frame, > 0 forward, < 0 backward; `objects` names its targets.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def length(self) -> int: ...  # noqa: D102

    @property
    def anchors(self) -> tuple[float, ...]: ...  # noqa: D102

    @property
    def objects(self) -> Collection[str]: ...  # noqa: D102


@dataclass(frozen=True)
class ExperimentType:
    """A protocol of the toolkit.

    Attributes:
        names: under which stack files may name it: the toolkit's short one, and that of its class.
        starts_at_anchors: whether runs start in anchor frames; otherwise in the first frame.
        mended: class of this package that runs it under version 0.9 of the toolkit.
        list_runs: the runs in one sequence, given the experiment's name and its definition.
    """

    names: tuple[str, ...]
    starts_at_anchors: bool
    mended: str
    list_runs: Callable[[str, Definition, AnchoredSequence], list[Run]]


def experiment_type(definition: Definition) -> ExperimentType:
    """The protocol of an experiment.

    Raises:
        UsageError: this package does not know it.
    """
    name = str(definition["type"])
    for entry in EXPERIMENT_TYPES:
        if name in entry.names:
            return entry
    known = ", ".join(entry.names[0] for entry in EXPERIMENT_TYPES)
    raise UsageError(f"experiments of type {name[:80]!r} are not known; known are {known}")


def official_definition(definition: Definition) -> Definition:
    """The definition with the toolkit's own name of its type, where it has a class of this package.

    So that a workspace is the same one under each version of the toolkit.
    """
    for entry in EXPERIMENT_TYPES:
        if definition["type"] == entry.mended:
            return {**definition, "type": entry.names[0]}
    return definition


def expected_runs(
    experiments: Mapping[str, Definition], sequences: Sequence[AnchoredSequence]
) -> list[Run]:
    """The runs that the toolkit makes, experiment by experiment.

    Args:
        experiments: definitions by name.
        sequences: of the workspace.
    """
    return [
        run
        for name, definition in experiments.items()
        for sequence in sequences
        for run in experiment_type(definition).list_runs(name, definition, sequence)
    ]


def _anchored_runs(
    experiment: str, definition: Definition, sequence: AnchoredSequence
) -> list[Run]:
    runs = []
    for frame, direction in enumerate(sequence.anchors):
        if direction:
            frames = sequence.length - frame if direction > 0 else frame + 1
            runs.append(Run(experiment, sequence.name, f"{sequence.name}_{frame:08d}", frames))
    return runs


def _repeated_runs(
    experiment: str, definition: Definition, sequence: AnchoredSequence
) -> list[Run]:
    repetitions = int(definition.get("repetitions", 1))
    required = EARLY_STOP_RUNS if definition.get("early_stop", True) else repetitions
    targets = list(sequence.objects) if len(sequence.objects) > 1 else [None]
    return [
        Run(
            experiment,
            sequence.name,
            "_".join([sequence.name, *([] if target is None else [target]), f"{number:03d}"]),
            sequence.length,
            required=number <= required,
            target=target,
        )
        for target in targets
        for number in range(1, repetitions + 1)
    ]


EXPERIMENT_TYPES = (
    ExperimentType(
        ("multistart", "vot.experiment.multistart.MultiStartExperiment"),
        True,
        f"{MENDED}.MultiStart",
        _anchored_runs,
    ),
    ExperimentType(
        ("supervised", "vot.experiment.multirun.SupervisedExperiment"),
        False,
        f"{MENDED}.Supervised",
        _repeated_runs,
    ),
    ExperimentType(
        ("unsupervised", "vot.experiment.multirun.UnsupervisedExperiment"),
        False,
        f"{MENDED}.Unsupervised",
        _repeated_runs,
    ),
)
"""All protocols that the stacks of the toolkit use."""
