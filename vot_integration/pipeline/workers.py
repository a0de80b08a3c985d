"""Who runs an evaluation, as the user says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpharefine.errors import UsageError

if TYPE_CHECKING:
    from vot_integration.evaluation.workers import Workers

RAY_CORES = 2
"""Processor cores for each part of an evaluation on a cluster; the help of commands names it."""


@dataclass(frozen=True)
class WorkerOptions:
    """Options of commands that evaluate.

    Attributes:
        jobs: how many parts run at the same time; None for the default.
        gpus: comma-separated numbers of GPUs of this machine, or None.
        ray: address of a Ray cluster, "auto", or None for this machine.
        ray_cores: processor cores for each part on a cluster; None for the default.
        ray_send: send sequences and weights to its machines even where these see them.
    """

    jobs: int | None = None
    gpus: str | None = None
    ray: str | None = None
    ray_cores: int | None = None
    ray_send: bool = False


def choose_workers(options: WorkerOptions, device: str) -> "Workers":
    """The workers that the user asks for.

    Args:
        options: as given.
        device: torch device of the tracker, as recorded.

    Raises:
        UsageError: they cannot be had.
    """
    if options.ray is None:
        idle = {"--ray-cores": options.ray_cores is not None, "--ray-send": options.ray_send}
        for option in (name for name, is_given in idle.items() if is_given):
            raise UsageError(f"{option} is for a cluster: give --ray ADDRESS too, or leave it out")
        from vot_integration.evaluation.workers import local_workers

        return local_workers(options.jobs, options.gpus)
    if options.gpus is not None:
        raise UsageError("--gpus is for this machine; on a cluster Ray gives each part a GPU")
    cores = RAY_CORES if options.ray_cores is None else options.ray_cores
    if cores < 1:
        raise UsageError(f"--ray-cores {cores}: give a number of cores, 1 or more")
    try:
        from vot_integration.cluster.ray_workers import RayOptions, connect
    except ModuleNotFoundError as error:
        raise UsageError("--ray needs Ray: pip install 'arvot[cluster]'") from error
    wanted = RayOptions(options.ray, options.jobs, cores, options.ray_send)
    return connect(wanted, device)
