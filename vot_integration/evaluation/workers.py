"""Who runs `vot evaluate`: one process after the other, or several at the same time."""

import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from alpharefine.errors import UsageError
from vot_integration.evaluation.view import toolkit_view
from vot_integration.serving.process import THREAD_VARIABLES, available_cores
from vot_integration.toolkit.process import POLL_SECONDS, run_toolkit, termination_interrupts
from vot_integration.workspaces.workspace import Workspace

_SUCCESS = "Evaluation concluded"
_PARTS_PER_WORKER = 4


@dataclass(frozen=True)
class Outcome:
    """How a `vot evaluate` ended: its exit status, which says little, and its output."""

    status: int
    output: str

    @property
    def succeeded(self) -> bool:
        """Whether the toolkit says that it came to its end."""
        return self.status == 0 and _SUCCESS in self.output


class Workers(Protocol):
    """Runs parts of a workspace."""

    @property
    def count(self) -> int:
        """How many parts run at the same time."""

    @property
    def parts(self) -> int | None:
        """Into how many parts a workspace is to be cut; None for a part a sequence."""

    def alone(self) -> "Workers":
        """A single worker that has its device to itself."""

    def run(
        self, shards: Sequence[Workspace], tracker: str, on_tick: Callable[[], None]
    ) -> list[Outcome]:
        """Run `vot evaluate` for every part; after a failure no further one is begun.

        Args:
            shards: workspaces whose experiments and sequences are to be run.
            tracker: name of a tracker in their registry.
            on_tick: called about twice a second meanwhile, in the calling thread.

        Returns:
            Outcomes of the parts that came to an end.
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
        """How many parts run at the same time."""
        return len(self.slots)

    @property
    def parts(self) -> int | None:
        """More parts than workers: who is done early takes another one."""
        return 1 if self.count == 1 else _PARTS_PER_WORKER * self.count

    def alone(self) -> "LocalWorkers":
        """A single process, on the first device; with all cores where it is a processor."""
        device = {key: value for key, value in self.slots[0].items() if key == _GPU_VARIABLE}
        return LocalWorkers((device,))

    def run(
        self, shards: Sequence[Workspace], tracker: str, on_tick: Callable[[], None]
    ) -> list[Outcome]:
        """See `Workers`."""
        if self.count == 1:
            return [
                run_shard(shard, tracker, self.slots[0], _log(shard, tracker, number), on_tick)
                for number, shard in enumerate(shards)
            ]
        return _run_parallel(self.slots, shards, tracker, on_tick)


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


def run_shard(
    shard: Workspace,
    tracker: str,
    environment: Mapping[str, str],
    log: Path,
    on_tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run `vot evaluate` on a part of a workspace.

    Args:
        shard: the part.
        tracker: name of a tracker in its registry.
        environment: variables for the toolkit and the tracker.
        log: file for the toolkit's output.
        on_tick: called about twice a second meanwhile.
    """
    with toolkit_view(shard) as view:
        status, output = run_toolkit(
            ["evaluate", "--workspace", str(view), tracker],
            cwd=view,
            log=log,
            on_tick=on_tick,
            environment=environment,
        )
    return Outcome(status, output)


class _CancelledError(Exception):
    """Another part has failed, or the user has interrupted the run."""


def _run_parallel(
    slots: Sequence[Mapping[str, str]],
    shards: Sequence[Workspace],
    tracker: str,
    on_tick: Callable[[], None],
) -> list[Outcome]:
    free: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
    for slot in slots:
        free.put(slot)
    canceled = threading.Event()

    def check() -> None:
        if canceled.is_set():
            raise _CancelledError

    def work(number: int, shard: Workspace) -> Outcome:
        check()
        slot = free.get()
        try:
            outcome = run_shard(shard, tracker, slot, _log(shard, tracker, number), check)
        finally:
            free.put(slot)
        if not outcome.succeeded:
            canceled.set()
        return outcome

    with ThreadPoolExecutor(len(slots)) as pool:
        futures = [pool.submit(work, number, shard) for number, shard in enumerate(shards)]
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


def _log(shard: Workspace, tracker: str, number: int) -> Path:
    part = f"-{number + 1}" if number else ""
    return shard.folder / "logs" / f"vot-evaluate-{tracker}{part}.log"


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
