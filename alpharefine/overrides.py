"""Settings of a tracker that a file replaces, such as those that tuning has found."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from alpharefine.catalogue import TrackerSpec, find_tracker
from alpharefine.errors import UsageError
from alpharefine.search_space import flatten

_TUNED = "tuned"
_TRACKER = "tracker"


@dataclass(frozen=True)
class Overrides:
    """What a file of overrides says.

    Attributes:
        tracker: name of the tracker in the catalog that they are for.
        values: settings by their names with dots, from the specification on.
        tuned: how they were found; "sequences" are those that they were tuned on.
    """

    tracker: str
    values: Mapping[str, Any]
    tuned: Mapping[str, Any] = field(default_factory=dict)

    def to_toml(self) -> str:
        """The text of the file."""
        lines = [f"{_TRACKER} = {_literal(self.tracker)}"]
        lines += [f"{_literal(name)} = {_literal(value)}" for name, value in self.values.items()]
        if self.tuned:
            lines += ["", f"[{_TUNED}]"]
            lines += [f"{name} = {_literal(value)}" for name, value in self.tuned.items()]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """The same as plain data, for records."""
        return {_TRACKER: self.tracker, "values": dict(self.values), _TUNED: dict(self.tuned)}


def read_overrides(file: Path) -> Overrides:
    """Read a TOML file of overrides.

    It names the tracker, and has a line for each setting, `"config.rank.penalty" = 0.1`, or tables
    of the same names.

    Raises:
        UsageError: the file cannot be read, or names no tracker.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--config {file} cannot be read: {reason}") from error
    tuned = document.pop(_TUNED, {})
    tracker = document.pop(_TRACKER, None)
    if not isinstance(tracker, str) or not isinstance(tuned, dict):
        raise UsageError(f'--config {file} names no tracker: write tracker = "NAME" into it')
    return Overrides(tracker, flatten(document), tuned)


def apply_overrides(spec: TrackerSpec, overrides: Overrides) -> TrackerSpec:
    """A tracker with the settings that a file says.

    Args:
        spec: of the tracker that the file is for.
        overrides: from the file.

    Raises:
        UsageError: they are for another tracker, or there is no such setting, or one is of another
            kind.
    """
    if overrides.tracker != spec.name:
        raise UsageError(
            f"the configuration is for {overrides.tracker}, not for {spec.name}: pass its own, or "
            "tune this one"
        )
    for name, value in overrides.values.items():
        spec = replace_setting(spec, name, value)
    return spec


def configured(tracker: str, file: Path | None) -> TrackerSpec:
    """The specification of a named tracker, with the settings of a file if there is one.

    Raises:
        UsageError: there is no such tracker, or the file cannot be used for it.
    """
    spec = find_tracker(tracker)
    return spec if file is None else apply_overrides(spec, read_overrides(file))


def replace_setting(spec: TrackerSpec, name: str, value: Any) -> TrackerSpec:
    """A tracker with one other setting.

    Args:
        spec: the tracker.
        name: from the specification on, such as "config.rank.penalty".
        value: of the same kind as the present one.

    Raises:
        UsageError: there is no such setting, or the value is of another kind.
    """
    if name.partition(".")[0] not in ("config", "refinement"):
        raise UsageError(f"{name}: a setting begins with config. or refinement.")
    changed: TrackerSpec = _replace(spec, name.split("."), value, name)
    return changed


def get_setting(spec: TrackerSpec, name: str) -> Any:
    """The present value of a setting that `replace_setting` knows."""
    value: Any = spec
    for key in name.split("."):
        value = getattr(value, key)
    return value


def _replace(settings: Any, path: list[str], value: Any, name: str) -> Any:
    key, *rest = path
    known = [entry.name for entry in fields(settings)] if is_dataclass(settings) else []
    if key not in known:
        raise UsageError(
            f"{name}: there is no setting {key!r}; known are {', '.join(known) or 'none'}"
        )
    present = getattr(settings, key)
    if rest:
        return replace(settings, **{key: _replace(present, rest, value, name)})
    return replace(settings, **{key: _convert(present, value, name)})


def _convert(present: Any, value: Any, name: str) -> Any:
    if isinstance(present, tuple) and isinstance(value, list):
        return tuple(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(present, float) and is_number:
        return float(value)
    if present is None or (type(value) is type(present)):
        return value
    raise UsageError(f"{name} = {value!r}: give a value like {present!r}")


def _literal(value: Any) -> str:
    """A value as TOML; strings, numbers, booleans and lists of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)
