"""Going on where a device's memory ends: once more with freed caches, then on the CPU."""

import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Estimate, Fallback, Image, Tracker

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_SIGNS = ("out of memory", "ALLOC_FAILED")
"""In messages of CUDA libraries that have no exception of their own."""


@runtime_checkable
class ResumableTracker(Tracker, Protocol):
    """A tracker whose run can be taken up again, by itself or by its like on another device."""

    def snapshot(self) -> Any:
        """Everything that the next `track` depends on.

        Later frames leave it as it is, but for samples that a frame which failed has overwritten:
        these are written again when the frame is repeated.
        """
        ...

    def resume(self, snapshot: Any) -> None:
        """Go on from a snapshot of this tracker or of one with the same configuration."""
        ...


class MemoryGuard:
    """A tracker that survives the end of its device's memory.

    A frame for which memory did not suffice is repeated: first with the caches of torch freed, then
    on the CPU, where the run stays. Its estimate says so (`Fallback.MEMORY`); the log does, too.

    Args:
        build: builds the tracker on the device of the given name.
        device: name of the device to begin on.

    Raises:
        Exception: whatever `build` raises, unless the device's memory is at its end.
    """

    def __init__(self, build: Callable[[str], ResumableTracker], device: str) -> None:
        self._build = build
        self._is_on_cpu = device == "cpu"
        self._started = False
        try:
            self._tracker = build(device)
            return
        except Exception as error:
            if self._is_on_cpu or not is_out_of_memory(error):
                raise
            _log.warning("the tracker does not fit into the memory of %s: %s", device, error)
        self._move_to_cpu(None)

    @property
    def tracker(self) -> ResumableTracker:
        """The tracker that runs now."""
        return self._tracker

    def initialize(self, image: Image, target: Box) -> None:
        """See `Tracker.initialize`."""
        self._survive(lambda tracker: tracker.initialize(image, target), None)
        self._started = True

    def track(self, image: Image) -> Estimate:
        """See `Tracker.track`."""
        snapshot = self._tracker.snapshot() if self._started else None
        estimate, repeated = self._survive(lambda tracker: tracker.track(image), snapshot)
        if repeated:
            return replace(estimate, fallbacks=estimate.fallbacks | {Fallback.MEMORY})
        return estimate

    def set_state(self, box: Box) -> None:
        """See `Tracker.set_state`."""
        self._tracker.set_state(box)

    def _survive(
        self, action: Callable[[ResumableTracker], _Result], snapshot: Any
    ) -> tuple[_Result, bool]:
        """Result of an action, and whether it had to be repeated."""
        repeated = False
        for recover in (self._free, self._move_to_cpu):
            try:
                return action(self._tracker), repeated
            except Exception as error:
                if self._is_on_cpu or not is_out_of_memory(error):
                    raise
                _log.warning("out of memory: %s", error)
            # Here, since the exception that has just gone held what is to be freed.
            recover(snapshot)
            repeated = True
        return action(self._tracker), repeated

    def _free(self, snapshot: Any) -> None:
        _log.warning("the caches are freed, and the frame is repeated")
        free_caches()
        if snapshot is not None:
            self._tracker.resume(snapshot)

    def _move_to_cpu(self, snapshot: Any) -> None:
        _log.warning("the run goes on, slowly, on the CPU")
        tracker = self._build("cpu")
        if snapshot is not None:
            tracker.resume(snapshot)
        self._tracker, self._is_on_cpu = tracker, True
        free_caches()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that a device's memory is at its end."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def free_caches() -> None:
    """Give memory back to the devices that torch only keeps for later."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
