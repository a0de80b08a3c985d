"""Where a tracker will run, and with which weights."""

import shutil
from collections.abc import Iterator

from vot_integration.doctor.findings import Finding, Severity
from vot_integration.serving.process import available_cores
from vot_integration.workspaces.records import OWN, TrackerRecord


def check_device(device: str, precision: str) -> Iterator[Finding]:
    """What device and precision the networks get.

    Args:
        device: as asked for, "auto" or a torch device.
        precision: as asked for, "auto" or a name.
    """
    import torch

    from alpharefine.runtime import resolve_runtime

    runtime = resolve_runtime(device, precision)
    number = str(runtime.dtype).removeprefix("torch.")
    if runtime.device.type == "cuda":
        name = torch.cuda.get_device_name(runtime.device)
        text = f"{name}, {number}, CUDA {torch.version.cuda}; {torch.cuda.device_count()} in all"
        yield Finding(Severity.GOOD, "device", text)
        return
    yield Finding(Severity.GOOD, "device", f"{runtime.device}, {number}, {available_cores()} cores")
    if device == "auto" and shutil.which("nvidia-smi"):
        yield Finding(
            Severity.WARNING,
            "device",
            f"this machine has an NVIDIA driver, but torch {torch.__version__} cannot use a GPU",
            "install torch for your version of CUDA: https://pytorch.org/get-started/locally",
        )


def check_weights(tracker: str, record: TrackerRecord) -> Iterator[Finding]:
    """Which weights a tracker runs with, and whether their files are sound.

    Args:
        tracker: its registered name.
        record: how it is to run.
    """
    from alpharefine.nets.registry import WEIGHTS
    from alpharefine.weights.store import find_weights
    from alpharefine.weights.verify import verify_weights

    if record.weights == OWN:
        yield Finding(Severity.GOOD, "weights", f"those that {tracker} loads itself")
        return
    damaged = []
    for name in record.weights.split("+"):
        spec = WEIGHTS.get(name)
        path = find_weights(spec) if spec else None
        if spec and path:
            check = verify_weights(spec, path)
            if check.problem is not None:
                remedy = f"delete the file, then {spec.obtain}"
                damaged.append(Finding(Severity.ERROR, "weights", check.problem, remedy))
    yield from damaged
    if damaged:
        return
    text = f"{tracker}: {record.weights}, sha256 {record.sha256}"
    if record.random:
        yield Finding(
            Severity.WARNING,
            "weights",
            f"{text}; they are random, so its scores say nothing",
            "`arvot weights list` says where trained ones are",
        )
    else:
        yield Finding(Severity.GOOD, "weights", text)
