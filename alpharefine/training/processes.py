"""One training process or several, as started by torchrun."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class ProcessGroup:
    """This process among those that train together.

    Attributes:
        rank: number of this process, 0..size - 1; the first one writes files.
        size: number of processes.
        device: where this process computes.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes checkpoints, metrics and pictures."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module, averaging gradients over the processes when there are several."""
        if self.size == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=devices)

    def from_first(self, value: float) -> float:
        """The first process's value, in all of them."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(shared, src=0)
        return float(shared.item())

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            distributed.barrier()


def process_count() -> int:
    """Number of processes that torchrun started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def process_group(device: torch.device) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun started (its RANK, WORLD_SIZE, LOCAL_RANK), or stay alone.

    Args:
        device: wanted; "cuda" without a number becomes this process's own GPU.
    """
    size = process_count()
    if size == 1:
        yield ProcessGroup(0, 1, device)
    else:
        yield from _join(size, device)


def _join(size: int, device: torch.device) -> Iterator[ProcessGroup]:
    if device == torch.device("cuda"):
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        group = ProcessGroup(distributed.get_rank(), size, device)
        yield group
        # Who leaves first would cut the connection under the others, which then abort.
        group.wait()
    finally:
        distributed.destroy_process_group()
