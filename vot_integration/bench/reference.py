"""What latencies are compared with: a forward pass that everyone has, and a busy core."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

import numpy as np
import torch
from torchvision.models import resnet50

from alpharefine.types import Box, Image, NetworkTracker

SIDE = 352
STEADY = 1.3
"""Largest 90th percentile over median of a machine that is idle."""

_WARM_UP = 3


def is_steady(seconds: Sequence[float]) -> bool:
    """Whether passes took so equally long that a ratio to them means something."""
    return bool(np.percentile(seconds, 90) <= STEADY * np.median(seconds))


class Pass(Protocol):
    """Something that frames are compared with."""

    def measure(self) -> float:
        """Seconds of it, once."""
        ...


class SearchPass:
    """The part of a frame that the base tracker's own network takes.

    Args:
        tracker: of the target in an image.
        image: any frame, H x W x 3 uint8.
        target: in it.
        device: where the network runs.
    """

    def __init__(
        self, tracker: NetworkTracker, image: Image, target: Box, device: torch.device
    ) -> None:
        self._synchronize = synchronizer(device)
        self._tracker = tracker
        tracker.initialize(image, target)
        for _ in range(_WARM_UP):
            self.measure()

    def measure(self) -> float:
        """Seconds of one pass."""
        self._synchronize()
        start = time.perf_counter()
        self._tracker.search_pass()
        self._synchronize()
        return time.perf_counter() - start


class Unit:
    """U: torchvision's whole ResNet-50 on 1 x 3 x 352 x 352, float32, channels last.

    Args:
        device: where it runs, the tracker's.
    """

    def __init__(self, device: torch.device) -> None:
        self._synchronize = synchronizer(device)
        last = torch.channels_last
        network = resnet50(weights=None).eval().requires_grad_(False)
        # The keyword is missing from torch's type hints for this form of the call.
        self._network = network.to(device, memory_format=last)
        self._images = torch.zeros(1, 3, SIDE, SIDE, device=device).to(memory_format=last)
        for _ in range(_WARM_UP):
            self.measure()

    @torch.inference_mode()
    def measure(self) -> float:
        """Seconds of one pass."""
        self._synchronize()
        start = time.perf_counter()
        self._network(self._images)
        self._synchronize()
        return time.perf_counter() - start


def synchronizer(device: torch.device) -> Callable[[], object]:
    """Waits until a device has done all it was told to."""
    return torch.cuda.synchronize if device.type == "cuda" else lambda: None


class BusyCore:
    """Keeps a core busy from `with` on, except while it is paused.

    Args:
        wanted: False does nothing.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "BusyCore":
        if self._wanted:
            self._process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the core idle meanwhile."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            os.kill(self._process.pid, number)
