"""A tracker with faults on demand, served by the package's own server.

Run by the toolkit as `python -m tests.serving.debug_tracker`. $DEBUG_FAULTS is a comma-separated
list of names: those in `FAULTS` act in `track`, `spill` everywhere, `bad_weights` and `busy_load`
while the tracker is loaded.
"""

import ctypes
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from vot_integration.server import serve

if TYPE_CHECKING:
    from alpharefine.types import Box, Estimate, Image


def spill() -> None:
    """Write on descriptors 1 and 2 in every way, and try to read what the client sends."""
    sys.stdout.write("progress 10 %\r")
    sys.stdout.buffer.write(bytes(range(256)))
    sys.stderr.write("x" * 200_000)
    sys.stdout.write("@@TRAX:state 1,1,1,1\n")
    os.write(1, b"unterminated")
    libc = ctypes.CDLL(None)
    libc.printf(b"from C without end")
    libc.fflush(None)
    subprocess.run("printf child; printf child >&2; cat", shell=True, check=True)
    assert sys.stdin.read() == ""


def busy() -> None:
    """Never return from C: a signal interrupts nothing here and Python's handlers never run."""
    mutex = ctypes.create_string_buffer(64)
    libc = ctypes.CDLL(None)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)


@dataclass
class DebugTracker:
    """Follows nothing: the box drifts at random, one draw a frame, and a disc fills it."""

    faults: frozenset[str]

    def initialize(self, image: "Image", target: "Box") -> None:
        import numpy as np

        self._random = np.random.default_rng(7)
        self._box = target
        self._frames = 0
        if "spill" in self.faults:
            spill()

    def track(self, image: "Image") -> "Estimate":
        import numpy as np

        from alpharefine.types import Estimate

        self._frames += 1
        dx, dy = self._random.normal(size=2) + image.mean() / 255
        self._box = self._box._replace(x=self._box.x + float(dx), y=self._box.y + float(dy))
        x, y, w, h = self._box
        rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
        mask = np.hypot((columns - x - w / 2) / w, (rows - y - h / 2) / h) <= 0.5
        estimate = Estimate(self._box, mask.astype(np.uint8), confidence=0.75)
        for fault in self.faults:
            if fault in FAULTS:
                estimate = FAULTS[fault](self._frames, estimate)
        return estimate

    def set_state(self, box: "Box") -> None:
        self._box = box


def _spill(_: int, estimate: Any) -> Any:
    spill()
    return estimate


def _busy(frame: int, estimate: Any) -> Any:
    sys.stdout.write(f"busy at frame {frame}\n")
    busy()
    return estimate


def _raise(frame: int, estimate: Any) -> Any:
    if frame == 2:
        raise RuntimeError('boom: "quoted",\nsecond line; 100 %')
    return estimate


def _exit(_: int, estimate: Any) -> Any:
    sys.exit("the tracker left")


def _crash(_: int, estimate: Any) -> Any:
    ctypes.string_at(0)
    return estimate


def _box(value: float) -> Callable[[int, Any], Any]:
    def fault(frame: int, estimate: Any) -> Any:
        if frame < 2:
            return replace(estimate, mask=None)
        return replace(estimate, mask=None, box=estimate.box._replace(x=value), confidence=math.nan)

    return fault


def _mask(change: Callable[[Any], Any]) -> Callable[[int, Any], Any]:
    return lambda _, estimate: replace(estimate, mask=change(estimate.mask))


def _fallback(frame: int, estimate: Any) -> Any:

    return (
        replace(estimate, fallbacks=frozenset(["score maps that are not finite"]))
        if frame > 1
        else estimate
    )


def _left_line(mask: Any) -> Any:
    line = mask * 0
    line[10:20, 0] = 1
    return line


FAULTS: dict[str, Callable[[int, Any], Any]] = {
    "spill": _spill,
    "busy": _busy,
    "raise": _raise,
    "exit": _exit,
    "crash": _crash,
    "nan": _box(math.nan),
    "inf": _box(math.inf),
    "away": _box(-1e6),
    "fallback": _fallback,
    "no_mask": _mask(lambda _: None),
    "empty_mask": _mask(lambda mask: mask * 0),
    "bool_mask": _mask(lambda mask: mask > 0),
    "sliced_mask": _mask(lambda mask: mask[:, ::-1]),
    "large_mask": _mask(lambda mask: mask.repeat(2, axis=0)),
    "left_line": _mask(_left_line),
}


def load(name: str) -> DebugTracker:
    """Make the tracker, or fail as asked."""
    from alpharefine.errors import UsageError

    faults = frozenset(filter(None, os.environ.get("DEBUG_FAULTS", "").split(",")))
    if "bad_weights" in faults:
        raise UsageError("no weights 'x.pth': run `arvot weights list`")
    if "busy_load" in faults:
        sys.stdout.write("busy in loading\n")
        busy()
    if "spill" in faults:
        spill()
    return DebugTracker(faults)


if __name__ == "__main__":
    sys.exit(serve(load, name=os.environ["ARVOT_TRACKER"], output=os.environ.get("ARVOT_OUTPUT")))
