"""Workers on an existing Ray cluster.

A job is a task. It claims a GPU, or cores, as Ray resources, does its work in a folder of its own
on the node, and answers the content of its result files, which are checked before they get their
place. A job whose node is lost is run again elsewhere.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from alpharefine.errors import UsageError
from vot_integration.child import POLL_SECONDS, termination_interrupts
from vot_integration.cluster.nodes import Node, check_nodes, find_nodes, see_folder
from vot_integration.cluster.parcel import SentWeights
from vot_integration.errors import EvaluationError
from vot_integration.evaluation.jobs import Job, Outcome, Parcel
from vot_integration.serving.process import THREAD_VARIABLES
from vot_integration.workspaces.records import ITS_OWN

ATTEMPTS = 4
"""How often a job is begun when nodes are lost under it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RayOptions:
    """How a cluster is used.

    Attributes:
        address: of the cluster, or "auto" for the one that this machine belongs to.
        jobs: how many run at the same time, None for as many as there is room for.
        cores: processor cores for each job.
        send: send sequences and weights along even where nodes see them.
    """

    address: str
    jobs: int | None = None
    cores: int = 2
    send: bool = False


@dataclass(frozen=True)
class RayWorkers:
    """Tasks of a Ray cluster; see `connect`.

    Attributes:
        options: how the cluster is used.
        nodes: its machines.
        uses_gpus: whether each job claims a GPU.
        pinned: the node that all jobs run on, one at a time with all of its cores; None for any.
    """

    options: RayOptions
    nodes: tuple[Node, ...]
    uses_gpus: bool
    pinned: Node | None = None

    @property
    def count(self) -> int:
        """How many jobs run at the same time."""
        if self.pinned is not None:
            return 1
        if self.uses_gpus:
            room = sum(int(node.gpus) for node in self.nodes)
        else:
            room = sum(int(node.cores // self.options.cores) for node in self.nodes)
        return max(1, min(room, self.options.jobs or room))

    @property
    def parts(self) -> int | None:
        """Every sequence is a job: the least is lost with a node."""
        return None

    def alone(self) -> "RayWorkers":
        """One job at a time, on one node with all of its cores."""
        fit = [node for node in self.nodes if node.gpus >= 1 or not self.uses_gpus]
        return replace(self, pinned=max(fit, key=lambda node: (node.gpus, node.cores)))

    def run(self, jobs: Sequence[Job], on_tick: Callable[[], None]) -> list[Outcome]:
        """See `vot_integration.evaluation.workers.Workers`."""
        if not jobs:
            return []
        tasks = _Tasks(self, jobs)
        try:
            with termination_interrupts():
                while tasks.go_on():
                    on_tick()
        finally:
            tasks.cancel()
        return tasks.outcomes

    def resources(self) -> dict[str, Any]:
        """What a job claims, as Ray's options of a task."""
        claimed: dict[str, Any] = {
            "num_gpus": 1 if self.uses_gpus else 0,
            "num_cpus": self.cores(),
            # A job that is lost is submitted again by `_Tasks`, which says so.
            "max_retries": 0,
        }
        if self.pinned is not None:
            strategy = NodeAffinitySchedulingStrategy(self.pinned.identifier, soft=True)
            claimed["scheduling_strategy"] = strategy
        return claimed

    def cores(self) -> int:
        """Processor cores of a job."""
        return self.options.cores if self.pinned is None else int(self.pinned.cores)


@dataclass
class _Task:
    """A job, and how often it was begun."""

    job: Job
    attempts: int = 0


class _Tasks:
    """The jobs of one tracker: waiting, running, or done with an outcome."""

    def __init__(self, workers: RayWorkers, jobs: Sequence[Job]) -> None:
        self.outcomes: list[Outcome] = []
        self._workers = workers
        self._waiting = deque(_Task(job) for job in jobs)
        self._running: dict[Any, _Task] = {}
        self._sends = workers.options.send or not see_folder(workers.nodes, jobs[0].folder)
        # One object of the cluster that all jobs refer to.
        self._weights = ray.put(jobs[0].weights() if self._sends else None)

    def go_on(self) -> bool:
        """Begin what there is room for and take what is done; False when all has ended.

        Raises:
            UsageError: a node cannot run a part.
            EvaluationError: nodes were lost too often.
        """
        while self._waiting and len(self._running) < self._workers.count:
            task = self._waiting.popleft()
            task.attempts += 1
            self._running[self._submit(task.job)] = task
        ready, _ = ray.wait(list(self._running), timeout=POLL_SECONDS)
        for reference in ready:
            self._take(reference, self._running.pop(reference))
        failed = any(not outcome.succeeded for outcome in self.outcomes)
        return not failed and bool(self._waiting or self._running)

    def cancel(self) -> None:
        """End what is running; not by force, so that nodes stop their toolkit and tracker."""
        for reference in self._running:
            ray.cancel(reference)

    def _submit(self, job: Job) -> Any:
        threads = dict.fromkeys(THREAD_VARIABLES, str(self._workers.cores()))
        work = _work.options(**self._workers.resources())
        return work.remote(job.parcel(send=self._sends), self._weights, threads)

    def _take(self, reference: Any, task: _Task) -> None:
        try:
            answer = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UsageError):
                raise error.cause from error
            raise EvaluationError(f"a node of the cluster failed: {error}") from error
        except ray.exceptions.RayError as error:
            self._repeat(task, error)
            return
        self.outcomes.append(task.job.store(answer))

    def _repeat(self, task: _Task, error: Exception) -> None:
        names = ", ".join(task.job.names)
        if task.attempts == ATTEMPTS:
            raise EvaluationError(
                f"{names}: a node was lost in each of {ATTEMPTS} attempts ({error}). Finished runs "
                "are kept"
            ) from error
        _log.warning("a node was lost (%s): %s runs again", type(error).__name__, names)
        self._waiting.append(task)


def connect(options: RayOptions, device: str) -> RayWorkers:
    """Join a Ray cluster and look at its machines.

    Args:
        options: how it is used.
        device: torch device of the tracker, as recorded. Jobs claim a GPU where it is one, and
            where the tracker chooses itself and the cluster has GPUs.

    Raises:
        UsageError: there is no such cluster, its machines have other versions, or no GPU.
    """
    if options.jobs is not None and options.jobs < 1:
        raise UsageError(f"--jobs {options.jobs}: give a number of parts, 1 or more")
    try:
        ray.init(
            options.address,
            ignore_reinit_error=True,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        message = " ".join(str(error).split())[:200]
        raise UsageError(
            f"--ray {options.address}: no Ray cluster there ({message}); `ray start --head` on one "
            "machine and `ray start --address=HOST:6379` on the others make one"
        ) from error
    nodes = find_nodes()
    has_gpus = any(node.gpus >= 1 for node in nodes)
    wants_gpu = device.startswith("cuda")
    if wants_gpu and not has_gpus:
        raise UsageError(f"--ray {options.address}: {device} is asked for, but no node has a GPU")
    check_nodes(nodes)
    return RayWorkers(options, nodes, wants_gpu or (device == ITS_OWN and has_gpus))


@ray.remote
def _work(
    parcel: Parcel, weights: Sequence[SentWeights] | None, environment: dict[str, str]
) -> Any:
    return parcel.work(weights, environment)
