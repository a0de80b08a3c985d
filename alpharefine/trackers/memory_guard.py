"""Going on where a device's memory ends: once more with freed caches, then on the CPU."""

import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch

from alpharefine.types import Box, Estimate, Image, ResumableTracker, Tracker

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_SIGNS = ("out of memory", "ALLOC_FAILED")
"""In messages of CUDA libraries that have no exception of their own."""


REPEATED = "frames repeated for want of memory"
"""The fallback of such frames, see `Estimate.fallbacks`."""


class MemoryGuard:
    """A tracker that survives the end of its device's memory.

    A frame for which memory did not suffice is repeated: first with the caches of torch freed, then
    on the CPU, where the run stays. Its estimate says so (`REPEATED`); the log does, too.

    Args:
        build: builds the tracker on the device of the given name. A frame can be repeated only of
            a `ResumableTracker` all of whose parts are; the initialization can of any.
        device: name of the device to begin on.

    Raises:
        Exception: whatever `build` raises, unless the device's memory is at its end.
    """

    def __init__(self, build: Callable[[str], Tracker], device: str) -> None:
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
    def tracker(self) -> Tracker:
        """The tracker that runs now."""
        return self._tracker

    def initialize(self, image: Image, target: Box) -> None:
        """See `Tracker.initialize`."""
        self._survive(lambda tracker: tracker.initialize(image, target), None, repeatable=True)
        self._started = True

    def track(self, image: Image) -> Estimate:
        """See `Tracker.track`."""
        snapshot = None
        if self._started and isinstance(self._tracker, ResumableTracker):
            snapshot = self._tracker.snapshot()
        estimate, repeated = self._survive(
            lambda tracker: tracker.track(image), snapshot, repeatable=snapshot is not None
        )
        if repeated:
            return replace(estimate, fallbacks=estimate.fallbacks | {REPEATED})
        return estimate

    def set_state(self, box: Box) -> None:
        """See `Tracker.set_state`."""
        self._tracker.set_state(box)

    def _survive(
        self, action: Callable[[Tracker], _Result], snapshot: Any, repeatable: bool
    ) -> tuple[_Result, bool]:
        """Result of an action, and whether it had to be repeated."""
        repeated = False
        for recover in (self._free, self._move_to_cpu):
            try:
                return action(self._tracker), repeated
            except Exception as error:
                if self._is_on_cpu or not repeatable or not is_out_of_memory(error):
                    raise
                _log.warning("out of memory: %s", error)
            # Here, since the exception that has just gone held what is to be freed.
            recover(snapshot)
            repeated = True
        return action(self._tracker), repeated

    def _free(self, snapshot: Any) -> None:
        _log.warning("the caches are freed, and the frame is repeated")
        free_caches()
        _resume(self._tracker, snapshot)

    def _move_to_cpu(self, snapshot: Any) -> None:
        _log.warning("the run goes on, slowly, on the CPU")
        tracker = self._build("cpu")
        _resume(tracker, snapshot)
        self._tracker, self._is_on_cpu = tracker, True
        free_caches()


def _resume(tracker: Tracker, snapshot: Any) -> None:
    if snapshot is not None and isinstance(tracker, ResumableTracker):
        tracker.resume(snapshot)


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
