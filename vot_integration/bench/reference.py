"""What latencies are compared with: a forward pass that everyone has, and a busy core."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

import numpy as np
import torch
from torchvision.models import resnet50

SIDE = 352
STEADY = 1.3
"""Largest 90th percentile over median of a machine that is idle."""

_WARM_UP = 3


def is_steady(seconds: Sequence[float]) -> bool:
    """Whether passes took so equally long that a ratio to them means something."""
    return bool(np.percentile(seconds, 90) <= STEADY * np.median(seconds))


class Pass:
    """Something that frames are compared with.

    Args:
        run: does it once.
        device: where it runs.
    """

    def __init__(self, run: Callable[[], object], device: torch.device) -> None:
        self._run, self._synchronize = run, synchronizer(device)
        for _ in range(_WARM_UP):
            self.measure()

    @torch.inference_mode()
    def measure(self) -> float:
        """Seconds of it, once."""
        self._synchronize()
        start = time.perf_counter()
        self._run()
        self._synchronize()
        return time.perf_counter() - start


def unit(device: torch.device) -> Pass:
    """U: torchvision's whole ResNet-50 on 1 x 3 x 352 x 352, float32, channels last."""
    last = torch.channels_last
    network = resnet50(weights=None).eval().requires_grad_(False)
    # The keyword is missing from torch's type hints for this form of the call.
    network = network.to(device, memory_format=last)
    images = torch.zeros(1, 3, SIDE, SIDE, device=device).to(memory_format=last)
    return Pass(lambda: network(images), device)


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
