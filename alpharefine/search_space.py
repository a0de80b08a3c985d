"""What of a tracker's settings can be tuned, and between which values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpharefine.errors import UsageError

if TYPE_CHECKING:
    from alpharefine.catalogue import TrackerSpec


@dataclass(frozen=True)
class Range:
    """Numbers to search between.

    Attributes:
        low: the smallest.
        high: the largest.
        whole: whether only whole numbers are taken.
        log: whether the logarithm is searched evenly.
    """

    low: float
    high: float
    whole: bool = False
    log: bool = False


SearchSpace = Mapping[str, Range]
"""Name of a setting with dots, such as "rank.penalty", -> range."""


def find_space(spec: "TrackerSpec") -> dict[str, Range]:
    """The search space that a tracker declares, refinement and coupling included.

    Names start from the specification: "config.rank.penalty",
    "refinement.coupling.feedback_rate".

    Example:
        >>> from alpharefine.catalogue import find_tracker
        >>> find_space(find_tracker("SiamRPNpp"))["config.rank.penalty"]
        Range(low=0.001, high=0.6, whole=False, log=False)
    """
    parts: dict[str, object] = {"config": spec.config}
    if spec.refinement is not None:
        parts["refinement.refiner"] = spec.refinement.refiner
        if spec.refinement.coupling.feedback != "base":
            parts["refinement.coupling"] = spec.refinement.coupling
    return {
        f"{part}.{name}": bounds
        for part, settings in parts.items()
        for name, bounds in getattr(settings, "search_space", {}).items()
    }


def read_space(file: Path) -> dict[str, Range]:
    """A search space of the user's own: a table of `"config.rank.penalty" = [low, high]`.

    Bounds that are both whole numbers search whole numbers.

    Raises:
        UsageError: the file cannot be read, or a line is no range.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} cannot be read as a search space: {error}") from error
    space = {name: _range(file, name, value) for name, value in flatten(document).items()}
    if not space:
        raise UsageError(f'{file} has no range: write for instance "config.size_rate" = [0.1, 0.8]')
    return space


def flatten(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values of nested tables by their names with dots."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _range(file: Path, name: str, value: Any) -> Range:
    are_numbers = isinstance(value, list) and all(
        isinstance(bound, int | float) and not isinstance(bound, bool) for bound in value
    )
    if not are_numbers or len(value) != 2 or value[0] >= value[1]:
        raise UsageError(f"{file}: {name} = {value!r}: give [low, high], two numbers")
    return Range(value[0], value[1], whole=all(isinstance(bound, int) for bound in value))
