"""How each official tool scores: the same boxes give other numbers in another one.

Each convention is a row of a table; `alpharefine.onepass.measures` computes what it says. Sources:
the evaluation code of OTB (tracker_benchmark_v1.0), LaSOT, UAV123, TrackingNet, GOT-10k, pysot and
pytracking, as of 2024.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alpharefine.errors import UsageError

Curve = NDArray[np.float64]


class Frames(Enum):
    """What becomes of frames without a target to compare with."""

    SCORED = "scored"
    FAILED = "failed"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Convention:
    """The rules of one tool.

    Attributes:
        tool: the tool in words, for people.
        first: what the first answer is worth: it is replaced by the truth ("given"), scored like
            any other, or left out.
        repeated: answers that are replaced by the one before: none, those with a side of zero, or
            all that are not finite or have no extent ("invalid").
        refuses_invalid: the tool stops at answers that are not finite or negative; they are
            failures here.
        valid: truth boxes that are compared: with all of x, y, w and h above 0 ("positive"), with
            w and h above 0 ("sized"), or without NaN ("finite").
        valid_center: truth boxes whose centers are compared; "center" are those with both
            coordinates of the center above 0.
        invalid: what becomes of frames with other truth boxes.
        invalid_center_passes: such frames have a center error of -1, which passes every threshold.
        invalid_norm_passes: the same of the normalized error.
        absent: what becomes of frames in which the target is marked as not there. Failed ones
            count in the denominator, those left out do not.
        inclusive: an overlap that equals the threshold succeeds.
        rounds: boxes are rounded to whole numbers first.
        clips: boxes are clipped to the image first, where its size is known.
        union_epsilon: added to the area of the union.
        pooled: all frames are one sequence.
        zeros_for_missing: a sequence without results has boxes of zeros; else it is not counted.
        success: thresholds of the overlap.
        precision: thresholds of the center error, px.
        norm: thresholds of the normalized center error.
        integrated: scores are areas under the curves (trapezoids), precision's too; else precision
            is that at 20 px.
        norm_score: of the curve, where it is not integrated: its value at 0.2, or its mean.
        mean_rate: speed is the mean of each frame's rate; else frames by time.
    """

    tool: str
    first: Literal["given", "scored", "left_out"] = "given"
    repeated: Literal["none", "flat", "invalid"] = "none"
    refuses_invalid: bool = False
    valid: Literal["positive", "sized", "finite"] = "positive"
    valid_center: Literal["positive", "sized", "finite", "center"] = "positive"
    invalid: Frames = Frames.FAILED
    invalid_center_passes: bool = True
    invalid_norm_passes: bool = True
    absent: Frames = Frames.SCORED
    inclusive: bool = False
    rounds: bool = False
    clips: bool = False
    union_epsilon: float = 0.0
    pooled: bool = False
    zeros_for_missing: bool = False
    success: tuple[float, ...] = tuple(np.linspace(0, 1, 21))
    precision: tuple[float, ...] = tuple(np.arange(51.0))
    norm: tuple[float, ...] = tuple(np.arange(51) / 100)
    integrated: bool = False
    norm_score: Literal["at 0.2", "mean"] = "at 0.2"
    mean_rate: bool = False


_OTB = Convention("the OTB toolkit", repeated="invalid")
_GOT10K = Convention(
    "the GOT-10k toolkit",
    valid="finite",
    valid_center="finite",
    invalid=Frames.LEFT_OUT,
    union_epsilon=float(np.finfo(float).eps),
    norm=tuple(np.linspace(0, 0.5, 51)),
    norm_score="mean",
    mean_rate=True,
)
_GOT10K_VAL = replace(
    _GOT10K,
    tool="the GOT-10k toolkit, validation set",
    first="left_out",
    absent=Frames.LEFT_OUT,
    clips=True,
    pooled=True,
    success=tuple(np.linspace(0, 1, 101)),
)
_PYSOT = Convention("pysot", first="scored", valid_center="center")
_PYTRACKING = Convention(
    "pytracking",
    repeated="flat",
    refuses_invalid=True,
    valid="sized",
    valid_center="sized",
    invalid_center_passes=False,
    absent=Frames.FAILED,
)
_TRACKINGNET = Convention(
    "the TrackingNet server",
    valid="finite",
    valid_center="finite",
    invalid_center_passes=False,
    invalid_norm_passes=False,
    inclusive=True,
    rounds=True,
    zeros_for_missing=True,
    precision=tuple(np.linspace(0, 50, 21)),
    norm=tuple(np.linspace(0, 0.5, 21)),
    integrated=True,
)

OFFICIAL = "official"

_OFFICIAL: Mapping[str, Convention] = {
    "otb": _OTB,
    "lasot": replace(_OTB, tool="the LaSOT toolkit", absent=Frames.FAILED),
    "trackingnet": _TRACKINGNET,
    "got10k": _GOT10K_VAL,
    "uav123": replace(_OTB, tool="the UAV123 toolkit"),
    "nfs": _OTB,
    "tc128": _OTB,
    "vot": _OTB,
}
_OF_TOOLS: Mapping[str, tuple[Convention, Mapping[str, Convention]]] = {
    "pytracking": (
        _PYTRACKING,
        {"uav123": replace(_PYTRACKING, invalid_center_passes=True)},
    ),
    "pysot": (_PYSOT, {}),
    "got10k": (_GOT10K, {"got10k": _GOT10K_VAL}),
}
"""Name -> what the tool does with any data set, and where it makes an exception of one."""

CONVENTIONS = (OFFICIAL, *_OF_TOOLS)
"""Names for `find_convention`."""


def find_convention(name: str, layout: str) -> Convention:
    """The rules by which a data set is scored.

    Args:
        name: one of `CONVENTIONS`; "official" is the tool of the data set's own authors.
        layout: of the data set, such as "lasot".

    Raises:
        UsageError: there is no such convention.

    Example:
        >>> find_convention("official", "trackingnet").tool
        'the TrackingNet server'
    """
    if name == OFFICIAL:
        return _OFFICIAL.get(layout, _OTB)
    if name not in _OF_TOOLS:
        raise UsageError(f"unknown convention {name!r}; choose one of {', '.join(CONVENTIONS)}")
    general, exceptions = _OF_TOOLS[name]
    return exceptions.get(layout, general)
