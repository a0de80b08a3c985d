"""Visual object tracking: DiMP-super and the Alpha-Refine module for any base tracker.

Example:
    >>> from alpharefine import refined
    >>> tracker = refined(my_tracker)  # doctest: +SKIP
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.build import build_tracker, refined
    from alpharefine.refinement.refiner import Refiner

__version__ = "0.1.0"

__all__ = ["Refiner", "build_tracker", "refined"]

_HOMES = {
    "Refiner": "alpharefine.refinement.refiner",
    "build_tracker": "alpharefine.build",
    "refined": "alpharefine.build",
}


def __getattr__(name: str) -> object:
    """Import on first use: the environment must be set before torch is imported."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
