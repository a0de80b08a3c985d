"""The families of networks that can be trained, by name."""

from collections.abc import Mapping
from typing import Any

from alpharefine.training.run import Family
from alpharefine.training.tasks.dimp.task import DIMP
from alpharefine.training.tasks.refine.task import REFINE

FAMILIES: Mapping[str, Family[Any, Any]] = {"refine": REFINE, "dimp": DIMP}
"""Name -> family, as `arvot train NAME` takes it."""

ALIASES: Mapping[str, str] = {"base": "dimp"}
"""Earlier name -> name."""
