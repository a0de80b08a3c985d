"""The families of networks that can be trained, by name."""

from collections.abc import Mapping
from typing import Any

from alpharefine.training.run import Family
from alpharefine.training.tasks.atom.task import ATOM
from alpharefine.training.tasks.dimp.task import DIMP
from alpharefine.training.tasks.refine.task import REFINE
from alpharefine.training.tasks.rtmdnet.task import RTMDNET
from alpharefine.training.tasks.siamfc.task import SIAMFC
from alpharefine.training.tasks.siamrpn.task import SIAMRPN

FAMILIES: Mapping[str, Family[Any]] = {
    "refine": REFINE,
    "dimp": DIMP,
    "siamrpn": SIAMRPN,
    "siamfc": SIAMFC,
    "rtmdnet": RTMDNET,
    "atom": ATOM,
}
"""Name -> family, as `arvot train NAME` takes it."""

ALIASES: Mapping[str, str] = {"base": "dimp"}
"""Earlier name -> name."""
