"""Who does the jobs: one process after the other, or several at the same time."""

import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

from alpharefine.errors import UsageError
from vot_integration.child import POLL_SECONDS, termination_interrupts
from vot_integration.evaluation.jobs import Job, Outcome
from vot_integration.serving.process import THREAD_VARIABLES, available_cores

_PARTS_PER_WORKER = 4


class Workers(Protocol):
    """Does jobs."""

    @property
    def count(self) -> int:
        """How many jobs run at the same time."""

    @property
    def parts(self) -> int | None:
        """Into how many jobs work is to be cut; None for a job a sequence."""

    def alone(self) -> "Workers":
        """A single worker that has its device to itself."""

    def run(self, jobs: Sequence[Job], on_tick: Callable[[], None]) -> list[Outcome]:
        """Do every job; after a failure no further one is begun.

        Args:
            jobs: of one tracker.
            on_tick: called about twice a second meanwhile, in the calling thread.

        Returns:
            Outcomes of the jobs that came to an end.
        """


@dataclass(frozen=True)
class LocalWorkers:
    """Processes on this machine.

    Attributes:
        slots: for each process, environment variables that give it its share of the machine.
    """

    slots: tuple[Mapping[str, str], ...] = ({},)

    @property
    def count(self) -> int:
        """How many jobs run at the same time."""
        return len(self.slots)

    @property
    def parts(self) -> int | None:
        """More jobs than workers: who is done early takes another one."""
        return 1 if self.count == 1 else _PARTS_PER_WORKER * self.count

    def alone(self) -> "LocalWorkers":
        """A single process, on the first device; with all cores where it is a processor."""
        device = {key: value for key, value in self.slots[0].items() if key == _GPU_VARIABLE}
        return LocalWorkers((device,))

    def run(self, jobs: Sequence[Job], on_tick: Callable[[], None]) -> list[Outcome]:
        """See `Workers`."""
        if self.count > 1:
            return _run_parallel(self.slots, jobs, on_tick)
        outcomes: list[Outcome] = []
        for job in jobs:
            outcomes.append(job.run(self.slots[0], on_tick))
            if not outcomes[-1].succeeded:
                break
        return outcomes


IN_TURN = LocalWorkers()
"""One process after the other, with the whole machine."""

_GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"


def local_workers(jobs: int | None, gpus: str | None) -> LocalWorkers:
    """Workers as the user asks for them.

    Args:
        jobs: how many processes; None is one, or one for each GPU.
        gpus: comma-separated numbers of GPUs that take turns, None for what the tracker chooses.

    Raises:
        UsageError: no such number of processes, no such GPU.
    """
    devices = _parse_gpus(gpus)
    jobs = max(len(devices), 1) if jobs is None else jobs
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: give a number of processes, 1 or more")
    slots: list[dict[str, str]] = [{} for _ in range(jobs)]
    for number, slot in enumerate(slots):
        if jobs > 1:
            threads = str(max(1, available_cores() // jobs))
            slot.update({name: os.environ.get(name, threads) for name in THREAD_VARIABLES})
        if devices:
            slot[_GPU_VARIABLE] = devices[number % len(devices)]
    return LocalWorkers(tuple(slots))


class _CancelledError(Exception):
    """Another job has failed, or the user has interrupted the run."""


def _run_parallel(
    slots: Sequence[Mapping[str, str]], jobs: Sequence[Job], on_tick: Callable[[], None]
) -> list[Outcome]:
    free: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
    for slot in slots:
        free.put(slot)
    canceled = threading.Event()

    def check() -> None:
        if canceled.is_set():
            raise _CancelledError

    def work(job: Job) -> Outcome:
        check()
        slot = free.get()
        try:
            outcome = job.run(slot, check)
        finally:
            free.put(slot)
        if not outcome.succeeded:
            canceled.set()
        return outcome

    with ThreadPoolExecutor(len(slots)) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            with termination_interrupts():
                _wait(futures, on_tick)
        finally:
            canceled.set()
    ended = [future for future in futures if not isinstance(future.exception(), _CancelledError)]
    return [future.result() for future in ended]


def _wait(futures: Sequence[Future[Outcome]], on_tick: Callable[[], None]) -> None:
    pending = set(futures)
    while pending:
        _, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_EXCEPTION)
        on_tick()


def _parse_gpus(gpus: str | None) -> list[str]:
    if gpus is None:
        return []
    devices = [device.strip() for device in gpus.split(",") if device.strip()]
    if not devices or not all(device.isdecimal() for device in devices):
        raise UsageError(f"--gpus {gpus}: give numbers of GPUs, such as 0,1,2")
    import torch

    there = torch.cuda.device_count()
    missing = [device for device in devices if int(device) >= there]
    if missing:
        raise UsageError(f"--gpus {gpus}: there is no GPU {missing[0]}, this machine has {there}")
    return devices
