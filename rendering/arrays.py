"""Array types and the few numeric functions that all of the renderer shares."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Float32 array; colors are 0..255, coverages and noises 0..1.

Always float32 at run time; numpy's type stubs lose that in products with Python floats.
"""

_TABLE_SIZE = 4096
_SINE_TABLE: Floats = np.array(
    [round(math.sin(2 * math.pi * i / _TABLE_SIZE), 6) for i in range(_TABLE_SIZE)],
    dtype=np.float32,
)


def floats(*values: float) -> Floats:
    """A float32 vector."""
    return np.array(values, dtype=np.float32)


def cos_sin(turns: float) -> tuple[float, float]:
    """Cosine and sine of an angle in turns, rounded so that the C library's last bit is gone."""
    angle = 2 * math.pi * turns
    return round(math.cos(angle), 9), round(math.sin(angle), 9)


def sine(turns: Floats) -> Floats:
    """Sine of an array of angles in turns, from a table of 4096 entries (error below 0.001)."""
    index = np.floor(turns * np.float32(_TABLE_SIZE)).astype(np.int64)
    return _SINE_TABLE[index % _TABLE_SIZE]


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, the cubic 3t^2 - 2t^3 between; `low` may exceed `high`."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)


def mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """`first` where `share` is 0, `second` where it is 1; shapes broadcast."""
    return first + (second - first) * share


def grid(height: int, width: int) -> tuple[Floats, Floats]:
    """Pixel coordinates (x as 1 x W, y as H x 1) that broadcast to H x W."""
    return (
        np.arange(width, dtype=np.float32)[None, :],
        np.arange(height, dtype=np.float32)[:, None],
    )
