"""Scalars that change over time: key frames, bounces, hand-held wobble. Time is in frames."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Scalar = Callable[[float], float]
"""A number as a function of time in frames (fractions fall inside an exposure)."""


class Keys:
    """Smooth curve through (frame, value) pairs; constant before the first and after the last.

    Cubic Hermite pieces with the slopes of Catmull and Rom (finite differences), zero at the ends.
    """

    def __init__(self, *keys: tuple[float, float]) -> None:
        self._times = [float(time) for time, _ in keys]
        self._values = [float(value) for _, value in keys]
        inner = [
            (self._values[i + 1] - self._values[i - 1]) / (self._times[i + 1] - self._times[i - 1])
            for i in range(1, len(keys) - 1)
        ]
        self._slopes = [0.0, *inner, 0.0]

    def __call__(self, time: float) -> float:
        """Value at `time`, in frames."""
        if time <= self._times[0]:
            return self._values[0]
        if time >= self._times[-1]:
            return self._values[-1]
        i = bisect_right(self._times, time) - 1
        span = self._times[i + 1] - self._times[i]
        t = (time - self._times[i]) / span
        rest = 1 - t
        return (
            self._values[i] * (1 + 2 * t) * rest * rest
            + self._values[i + 1] * t * t * (3 - 2 * t)
            + (self._slopes[i] * rest - self._slopes[i + 1] * t) * t * rest * span
        )


@dataclass(frozen=True)
class Linear:
    """`start` + `rate` per frame; turns a phase or moves a drifting thing."""

    rate: float
    start: float = 0.0

    def __call__(self, time: float) -> float:
        """Value at `time`, in frames."""
        return self.start + self.rate * time


def constant(value: float) -> Scalar:
    """The same value at all times."""
    return Linear(0.0, value)


ZERO: Scalar = constant(0.0)
ONE: Scalar = constant(1.0)


@dataclass(frozen=True)
class Bounce:
    """Height of a ball: parabolas of `height` over a floor, one every `period` frames."""

    floor: float
    height: float
    period: float
    start: float = 0.0

    def __call__(self, time: float) -> float:
        """Vertical position at `time`, image pixels (y points down)."""
        t = (time / self.period + self.start) % 1.0
        return self.floor - self.height * 4 * t * (1 - t)


@dataclass(frozen=True)
class Wobble:
    """Band-limited random motion around 0, such as a hand-held camera makes.

    Attributes:
        seed: of the random numbers.
        amplitude: largest excursion, in the unit of the value.
        period: frames between independent values.
    """

    seed: int
    amplitude: float
    period: float

    @cached_property
    def _values(self) -> list[float]:
        draws: list[float] = np.random.default_rng(self.seed).random(64).tolist()
        return [self.amplitude * (2 * draw - 1) for draw in draws]

    def __call__(self, time: float) -> float:
        """Value at `time`, in frames."""
        position = time / self.period
        i = int(position // 1)
        t = position - i
        share = t * t * (3 - 2 * t)
        first, second = self._values[i % 64], self._values[(i + 1) % 64]
        return first + (second - first) * share


@dataclass(frozen=True)
class Sum:
    """Sum of several scalars."""

    terms: tuple[Scalar, ...]

    def __call__(self, time: float) -> float:
        """Value at `time`, in frames."""
        return sum(term(time) for term in self.terms)
