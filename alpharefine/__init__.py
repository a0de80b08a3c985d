"""Visual object tracking: base trackers, and the Alpha-Refine module for any of them.

Example:
    >>> import alpharefine as ar
    >>> tracker = ar.create_tracker("ARDiMP_lite")  # doctest: +SKIP
    >>> for found in ar.track(tracker, "walk.mp4", box=(120, 80, 40, 60)):  # doctest: +SKIP
    ...     print(found.box, found.confidence)
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.api import create_tracker, track
    from alpharefine.build import refined
    from alpharefine.catalogue import list_trackers
    from alpharefine.errors import UsageError
    from alpharefine.refinement.refiner import Refiner
    from alpharefine.types import Box, Estimate, Tracker

__version__ = "0.1.0"

__all__ = [
    "Box",
    "Estimate",
    "Refiner",
    "Tracker",
    "UsageError",
    "create_tracker",
    "list_trackers",
    "refined",
    "track",
]

_HOMES = {
    "Box": "alpharefine.types",
    "Estimate": "alpharefine.types",
    "Refiner": "alpharefine.refinement.refiner",
    "Tracker": "alpharefine.types",
    "UsageError": "alpharefine.errors",
    "create_tracker": "alpharefine.api",
    "list_trackers": "alpharefine.catalogue",
    "refined": "alpharefine.build",
    "track": "alpharefine.api",
}


def __getattr__(name: str) -> object:
    """Import on first use: the environment must be set before numpy and torch are imported."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
