"""Frozen dataclasses from TOML: every key is checked, an unknown one is an error."""

import difflib
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from alpharefine.errors import UsageError

T = TypeVar("T")

NONE = "none"
"""TOML has no null: this string stands for None where a field may be None."""


_RECIPES = Path(__file__).parent / "configs"


def find_config(name: str) -> Path:
    """The file of a recipe: a path, or the name of one that comes with the package.

    Raises:
        UsageError: there is neither.
    """
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return path
    recipe = _RECIPES / f"{name}.toml"
    if not recipe.is_file():
        known = ", ".join(sorted(p.stem for p in _RECIPES.glob("*.toml")))
        raise UsageError(f"no recipe {name!r}; give a .toml file or one of {known}")
    return recipe


def load_config(path: Path, config_type: type[T]) -> T:
    """Read a TOML file into the dataclass `config_type`; nested dataclasses are its tables.

    Raises:
        UsageError: no such file, not TOML, an unknown or missing key, or a value of another type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); give a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a TOML file ({error})") from error
    return parse_config(values, config_type, str(path))


def parse_config(
    values: Mapping[str, object], config_type: type[T], where: str, default: T | None = None
) -> T:
    """Build the dataclass `config_type` from plain values.

    Fields may be bool, int, float, str, tuples of these, `X | None`, string-keyed mappings and
    dataclasses alike. A table for a dataclass with a default changes that default. Of a union of
    dataclasses the key `kind` chooses one, by default the first; each has a field of this name.

    Args:
        values: as TOML gives them.
        config_type: a dataclass type.
        where: place of the values, for messages.
        default: gives the values of missing keys; None: the defaults of the fields.

    Raises:
        UsageError: an unknown or missing key, a value of another type, or one that the dataclass
            itself refuses.
    """
    hints = typing.get_type_hints(config_type)
    declared = {field.name: field for field in fields(typing.cast(Any, config_type))}
    for key in values:
        if key not in declared:
            raise UsageError(f"{where}: unknown key {key!r}{_suggestion(key, declared)}")
    for name, field in declared.items():
        if name not in values and default is None and _default(field) is MISSING:
            raise UsageError(f"{where}: the key {name!r} is missing")
    converted = {}
    for key, value in values.items():
        own = _default(declared[key]) if default is None else getattr(default, key)
        converted[key] = _convert(value, hints[key], f"{where}: {key}", own)
    try:
        if default is not None:
            return typing.cast(T, replace(typing.cast(Any, default), **converted))
        return config_type(**converted)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error


def _suggestion(key: str, declared: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, declared, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(declared)}"


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _convert(value: object, hint: Any, where: str, default: object = None) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value == NONE:
            return None
        return _convert(value, _member(value, arguments, where), where, default)
    if origin is typing.Literal and value in arguments:
        return value
    if is_dataclass(hint) and isinstance(value, Mapping):
        known = default if type(default) is hint else None
        return parse_config(value, typing.cast("type[Any]", hint), where, known)
    if origin is tuple and isinstance(value, Sequence) and not isinstance(value, str):
        return _convert_tuple(value, arguments, where)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return {key: _convert(item, arguments[1], f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (bool, int, float, str) and type(value) is hint:
        return value
    raise UsageError(f"{where}: expected {_describe(hint)}, got {value!r}")


def _member(value: object, arguments: tuple[Any, ...], where: str) -> Any:
    """The member of a union that a value is for: of several dataclasses the one of its `kind`."""
    members = [a for a in arguments if a is not types.NoneType]
    if len(members) == 1 or not isinstance(value, Mapping):
        return members[0]
    kinds = {member.kind: member for member in members}
    kind = value.get("kind", members[0].kind)
    if kind not in kinds:
        raise UsageError(f"{where}: kind: expected one of {', '.join(kinds)}, got {kind!r}")
    return kinds[kind]


def _convert_tuple(value: Sequence[object], arguments: tuple[Any, ...], where: str) -> Any:
    if arguments[-1] is Ellipsis:
        arguments = (arguments[0],) * len(value)
    if len(arguments) != len(value):
        raise UsageError(f"{where}: expected {len(arguments)} values, got {len(value)}")
    pairs = zip(value, arguments, strict=True)
    return tuple(_convert(item, hint, f"{where}[{i}]") for i, (item, hint) in enumerate(pairs))


def _describe(hint: Any) -> str:
    if is_dataclass(hint):
        return "a table"
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    return hint.__name__ if isinstance(hint, type) else str(hint)


@dataclass(frozen=True)
class ScheduleConfig:
    """Learning rate over a run, as a factor of each parameter group's own rate.

    Attributes:
        shape: "steps" multiplies by `factor` every `every` epochs; "cosine" falls to `floor`;
            "log" falls to `floor` by the same factor from epoch to epoch.
        every: epochs between two steps.
        factor: of one step.
        floor: last factor of "cosine" and "log".
        warmup: first share of the run in which the rate rises linearly, 0..1.

    Sources: "steps" with 8 and 0.5 is Alpha-Refine, section 3.4; "log" SiamDW (CVPR 2019).
    """

    shape: str = "steps"
    every: int = 8
    factor: float = 0.5
    floor: float = 0.01
    warmup: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in ("steps", "cosine", "log"):
            raise ValueError(f"unknown schedule shape {self.shape!r}; choose steps, cosine or log")


@dataclass(frozen=True)
class EngineConfig:
    """How long, how fast and where a network is trained.

    Attributes:
        epochs: validations and checkpoints of a run.
        steps_per_epoch: optimizer steps of one epoch.
        batch_size: samples of one step, of each process.
        seed: of everything random.
        device: "auto", "cpu", "cuda" or any torch device.
        precision: "auto" (bfloat16 on CUDA and on a CPU that computes it, else float32), "float32",
            "bfloat16" or "float16": type of the mixed-precision regions; weights stay float32.
        workers: data processes; 0 loads in the training process.
        optimizer: "adam", or "sgd" with `momentum`.
        momentum: of "sgd".
        weight_decay: of "adam" decoupled (AdamW) when above 0; plain Adam at 0.
        max_grad_norm: gradients are clipped to this norm; 0 leaves them.
        ema_decay: decay per step of the averaged weights that are validated and exported; 0: none.
        budget_minutes: 0, or end the run and its schedule after this time even if the epochs are
            not done; such a run depends on the machine's speed.
        schedule: learning rate.
        keep_from_epoch: weights for inference of this epoch (counted from 1) and of all later ones
            are kept; None keeps the best epoch's alone.
    """

    epochs: int = 40
    steps_per_epoch: int = 500
    batch_size: int = 32
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    workers: int = 1
    optimizer: typing.Literal["adam", "sgd"] = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    max_grad_norm: float = 0.0
    ema_decay: float = 0.0
    budget_minutes: float = 0.0
    schedule: ScheduleConfig = ScheduleConfig()
    keep_from_epoch: int | None = None

    def __post_init__(self) -> None:
        if min(self.epochs, self.steps_per_epoch, self.batch_size) < 1:
            raise ValueError("epochs, steps_per_epoch and batch_size must be 1 or more")
        if not 0 <= self.ema_decay < 1:
            raise ValueError("ema_decay must be in [0, 1)")

    @property
    def total_steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.epochs * self.steps_per_epoch
