"""Where the time of a frame goes: named stages, timed while a `StageTimer` records."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


class StageTimer:
    """Adds up the time of each stage.

    A stage within another one counts for itself alone, so that all stages together never exceed
    the whole.

    Args:
        synchronize: called before every look at the clock, to wait for a device that works on its
            own; None where there is none.

    Attributes:
        seconds: stage -> time since the last `clear`.

    Example:
        >>> timer = StageTimer()
        >>> with timer.recording():
        ...     tracker.track(image)  # doctest: +SKIP
        >>> timer.seconds  # doctest: +SKIP
        {'base crop': 0.001, 'base network': 0.03, ...}
    """

    def __init__(self, synchronize: Callable[[], object] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._synchronize = synchronize
        self._inner = [0.0]

    def clear(self) -> None:
        """Forget all times."""
        self.seconds.clear()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Time the stages that run inside, in this thread."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time that passes inside to a stage."""
        self._inner.append(0.0)
        start = self._now()
        try:
            yield
        finally:
            passed = self._now() - start
            own = passed - self._inner.pop()
            self._inner[-1] += passed
            self.seconds[name] = self.seconds.get(name, 0.0) + own

    def _now(self) -> float:
        if self._synchronize is not None:
            self._synchronize()
        return time.perf_counter()


_current: ContextVar[StageTimer | None] = ContextVar("stage_timer", default=None)


def stage(name: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Make a function a stage; nothing but a look for a recording timer is added to it."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def timed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            timer = _current.get()
            if timer is None:
                return function(*args, **kwargs)
            with timer.measure(name):
                return function(*args, **kwargs)

        return timed

    return decorate
