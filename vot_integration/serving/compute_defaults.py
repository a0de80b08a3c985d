"""Environment variables of the numerical libraries, set before these are imported."""

import os
from pathlib import Path

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that say how many threads a process computes with."""

_SPINS = "1000"
"""Looks for more work before a thread sleeps: a tenth less time a frame than none, and no more
where another process keeps a core busy; with many more that takes several times as long."""

_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def set_compute_defaults() -> None:
    """Set what the user has not set: thread counts, brief waiting, reproducible cuBLAS.

    The toolkit works between two frames on the same cores, so idle threads must not spin for long:
    some 50 us (`_SPINS`), from one layer to the next. And a container's processor quota is
    invisible to OpenMP, which would start a thread per host core.
    """
    threads = str(available_cores())
    defaults = {
        "OMP_WAIT_POLICY": "PASSIVE",
        **dict.fromkeys(THREAD_VARIABLES, threads),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    }
    if "OMP_WAIT_POLICY" not in os.environ:
        # It would outdo the user's policy.
        defaults["GOMP_SPINCOUNT"] = _SPINS
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def available_cores(quota_file: Path = _CPU_QUOTA) -> int:
    """Cores this process may use: its affinity, bounded by the container's quota (cgroup v2)."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = (int(word) for word in quota_file.read_text().split())
    except (OSError, ValueError):
        # No cgroup, or the quota reads "max".
        return cores
    return max(1, min(cores, -(-quota // period)))
