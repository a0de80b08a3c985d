"""Experiment stacks of the toolkit: found by name or file, cut to the experiments asked for."""

import copy
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from alpharefine.errors import UsageError
from vot_integration.names import nearest
from vot_integration.toolkit.experiments import Definition, experiment_type, official_definition
from vot_integration.toolkit.interface import REQUIREMENT, toolkit

DEFAULT_STACK = "vot2020/shortterm"

ALIASES: Mapping[str, str] = {
    "vot2018": "vot2018/shortterm",
    "vot2019": "vot2019/shortterm",
    "vot2020": DEFAULT_STACK,
    "vot2021": "vot2021/shortterm",
    "vot2022": "vot2022/shortterm",
    "vot2022box": "vot2022/shorttermbox",
}

_REDETECTION = ("redetection", "vot.experiment.transformer.Redetection")

LOCAL_INTERVAL = (30, 100)
"""EAO interval, in frames, for sequences that are not official VOT data."""

_NAME = re.compile(r"\w[\w.-]*", re.ASCII)
"""Experiments name folders of results."""

_FOREIGN_CLASS = re.compile(r"(?!vot\.)\w*\.")
"""A type that the toolkit would import from anywhere but itself."""

EaoInterval = tuple[int, int]
"""First and last frame over which the expected average overlap is averaged."""


@dataclass(frozen=True)
class Stack:
    """A stack file of the toolkit.

    Attributes:
        name: the toolkit's name of the stack, or the file as the user gave it.
        title: title for people.
        experiments: definition of each experiment, as in the file.
        from_file: whether the user gave a file of their own.
    """

    name: str
    title: str
    experiments: Mapping[str, Definition]
    from_file: bool = False

    def __post_init__(self) -> None:
        """Refuse what would lead out of the workspace or out of the toolkit, or is not known.

        Raises:
            UsageError: an experiment's name is no plain name, or a type is not the toolkit's, or
                not known here.
        """
        for name, body in self.experiments.items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise UsageError(
                    f"stack {self.name}: an experiment's name has only letters, digits, _, - and "
                    f"., not {name!r}"
                )
            foreign = next(filter(_FOREIGN_CLASS.match, _types(body)), None)
            if foreign is not None:
                raise UsageError(
                    f"stack {self.name}: the type {foreign!r} is not one of the toolkit's"
                )
            try:
                experiment_type(body)
            except UsageError as error:
                raise UsageError(f"stack {self.name}, experiment {name}: {error}") from error

    def interval(self) -> EaoInterval:
        """First and last frame of the EAO interval.

        Raises:
            UsageError: no experiment of the stack computes an EAO score.
        """
        interval = self.find_interval()
        if interval is None:
            raise UsageError(
                f"stack {self.name} has no EAO score with low and high; "
                f"use a short-term stack such as {DEFAULT_STACK}"
            )
        return interval

    def find_interval(self) -> EaoInterval | None:
        """First and last frame of the EAO interval; None when there is no EAO score."""
        for analysis in _analyses(self.experiments):
            is_score = str(analysis.get("type", "")).endswith("eao_score")
            if is_score and {"low", "high"} <= analysis.keys():
                return int(analysis["low"]), int(analysis["high"])
        return None

    def with_interval(self, interval: EaoInterval) -> "Stack":
        """The same stack with another EAO interval; accuracy and robustness do not depend on it."""
        experiments = copy.deepcopy(dict(self.experiments))
        bounds = dict(zip(("low", "high"), interval, strict=True))
        for analysis in _analyses(experiments):
            analysis.update({key: value for key, value in bounds.items() if key in analysis})
        return replace(self, experiments=experiments)

    def select(self, names: Sequence[str]) -> "Stack":
        """The same stack with only the experiments named, in the stack's order.

        Raises:
            UsageError: a name is not in the stack, or none is given.
        """
        unknown = [name for name in names if name not in self.experiments]
        if unknown or not names:
            raise UsageError(
                f"experiment {', '.join(unknown) or '(none)'} is not in stack {self.name}; "
                f"choose from {', '.join(self.runnable().experiments)} or all"
            )
        failing = [name for name in names if name in self.failing()]
        if failing:
            raise UsageError(
                f"experiment {failing[0]} of stack {self.name} cannot be run: the redetection of "
                f"this toolkit fails; choose from {', '.join(self.runnable().experiments)}"
            )
        chosen = {name: body for name, body in self.experiments.items() if name in names}
        return replace(self, experiments=chosen)

    def failing(self) -> list[str]:
        """Experiments that the toolkit defines and cannot run.

        Its redetection asks for a cache that it is never given (toolkit 0.7.4).
        """
        return [
            name
            for name, body in self.experiments.items()
            if any(_is_redetection(entry) for entry in body.get("transformers") or [])
        ]

    def runnable(self) -> "Stack":
        """The same stack without `failing` experiments.

        Raises:
            UsageError: no other experiment is in it.
        """
        failing = self.failing()
        kept = {name: body for name, body in self.experiments.items() if name not in failing}
        if not kept:
            raise UsageError(
                f"stack {self.name}: this toolkit cannot run redetection, and it has "
                "no other experiment"
            )
        return replace(self, experiments=kept)

    def unscored(self) -> list[str]:
        """Experiments for which the stack has no analysis."""
        return [name for name, body in self.experiments.items() if not body.get("analyses")]

    def starts_at_anchors(self) -> bool:
        """Whether an experiment starts the tracker in anchor frames."""
        return any(experiment_type(body).starts_at_anchors for body in self.experiments.values())

    def starts_at_first_frame(self) -> bool:
        """Whether an experiment starts the tracker in the first frame."""
        types = map(experiment_type, self.experiments.values())
        return not all(entry.starts_at_anchors for entry in types)

    def has_several_objects(self) -> bool:
        """Whether sequences may have several objects, as in VOTS."""
        return all(body.get("multiobject", False) for body in self.experiments.values())

    def takes_late_objects(self) -> bool:
        """Whether the toolkit that is installed tells trackers of objects that appear later.

        In real-time experiments no version does.
        """
        timed = any(body.get("realtime") for body in self.experiments.values())
        return not timed and toolkit().takes_late_objects

    def dump(self) -> str:
        """Text of a stack file. It names no data set, so that the toolkit never downloads one."""
        bodies = copy.deepcopy(dict(self.experiments))
        experiments = {name: toolkit().experiment(body) for name, body in bodies.items()}
        document = {"title": self.title, "experiments": experiments}
        return yaml.safe_dump(document, sort_keys=False)


def _is_redetection(transformer: Any) -> bool:
    return isinstance(transformer, Mapping) and str(transformer.get("type")) in _REDETECTION


def _analyses(experiments: Mapping[str, Definition]) -> list[dict[str, Any]]:
    return [analysis for body in experiments.values() for analysis in body.get("analyses", [])]


def _types(definition: Any) -> Iterator[str]:
    """All values under a key `type`, however deep."""
    if isinstance(definition, Mapping):
        name = definition.get("type")
        if name is not None:
            yield str(name)
        for value in definition.values():
            yield from _types(value)
    elif isinstance(definition, list):
        for value in definition:
            yield from _types(value)


def load_stack(name_or_file: str) -> Stack:
    """Load a stack by a toolkit name (`vot2020/shortterm`), its alias (`vot2020`) or a file.

    Capitals, as in VOT2020, make no difference to a name.

    Raises:
        UsageError: no such stack, or the file is not a stack.
    """
    file = Path(name_or_file).expanduser()
    exact, lower = (ALIASES.get(name, name) for name in (name_or_file, name_or_file.lower()))
    if _integrated(exact).is_file():
        return _read(_integrated(exact), exact, from_file=False)
    if file.is_file():
        return _read(file, name_or_file, from_file=True)
    if _integrated(lower).is_file():
        return _read(_integrated(lower), lower, from_file=False)
    near = nearest(name_or_file, [*ALIASES, *stack_names()])
    meant = f"did you mean {' or '.join(near)}? " if near else ""
    raise UsageError(
        f"stack {name_or_file} is neither a file nor known to the toolkit; {meant}known are "
        f"{', '.join(ALIASES)} and all names of the toolkit"
    )


def _integrated(name: str) -> Path:
    return stack_folder() / f"{name}.yaml"


def stack_names() -> list[str]:
    """The toolkit's names of its stacks, sorted."""
    folder = stack_folder()
    return sorted(str(f.relative_to(folder).with_suffix("")) for f in folder.rglob("*.yaml"))


def parse_experiments(text: str, stack: Stack) -> list[str]:
    """Names in a comma-separated list; `all` stands for every experiment of the stack."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    return list(stack.runnable().experiments) if "all" in names else names


def choose_interval(chosen: EaoInterval | None, stack: Stack, is_official: bool) -> EaoInterval:
    """The EAO interval: as asked for, else the stack's own for official data and own stack files.

    Args:
        chosen: as asked for, or None.
        stack: the stack.
        is_official: whether the sequences are official VOT data.

    Raises:
        UsageError: the interval is not one, or the stack has none.
    """
    if chosen is not None:
        low, high = chosen
        # The toolkit leaves out the last frame: equal ends are an empty interval.
        if not 0 < low < high:
            raise UsageError(f"--eao-interval {low} {high}: give 0 < LOW < HIGH, in frames")
        return chosen
    return stack.interval() if stack.from_file or is_official else LOCAL_INTERVAL


def stack_folder() -> Path:
    """Folder of the stacks that come with the toolkit.

    Raises:
        UsageError: it is not installed.
    """
    # Located without importing the toolkit, which takes more than a second.
    spec = importlib.util.find_spec("vot")
    if spec is None or spec.origin is None:
        raise UsageError(f"the VOT toolkit is not installed; run pip install '{REQUIREMENT}'")
    return Path(spec.origin).parent / "stack"


class _Loader(yaml.SafeLoader):
    """Without aliases: a few lines of them make a document of any size, or an endless one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not supported")
        return super().compose_node(parent, index)


def _read(file: Path, name: str, *, from_file: bool) -> Stack:
    try:
        document = yaml.load(file.read_text(encoding="utf-8"), _Loader)
        experiments = document["experiments"]
        if not experiments:
            raise ValueError("it has no experiments")
        if not all(body["type"] for body in experiments.values()):
            raise KeyError("type")
        if not all(isinstance(analysis, Mapping) for analysis in _analyses(experiments)):
            raise TypeError("analyses is not a list of definitions")
        experiments = {key: official_definition(body) for key, body in experiments.items()}
        stack = Stack(name, str(document.get("title", name)), experiments, from_file)
        stack.find_interval()
    except (
        OSError,
        ValueError,
        yaml.YAMLError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise UsageError(
            f"{file} is not a stack file (YAML with experiments, each with a type): "
            f"{' '.join(str(error).split())}"
        ) from error
    return stack
