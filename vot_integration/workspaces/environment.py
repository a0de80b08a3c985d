"""What a result was computed with: versions and machine, to be recorded beside it."""

import os
import platform
from importlib import metadata
from pathlib import Path

import alpharefine

_PACKAGES = ("vot-toolkit", "vot-trax", "torch", "torchvision", "numpy", "opencv-python")
_CPU_INFO = Path("/proc/cpuinfo")


def describe_environment() -> dict[str, str]:
    """Versions of this package, Python and what it computes with, and the processors."""
    facts = {"arvot": alpharefine.__version__, "Python": platform.python_version()}
    facts.update({name: _version(name) for name in _PACKAGES})
    facts["system"] = f"{platform.system()} {platform.machine()}"
    facts["processor"] = f"{_processor()}, {os.cpu_count()} cores"
    gpus = _gpus()
    if gpus:
        facts["GPUs"] = gpus
    return facts


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _gpus() -> str:
    import torch

    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return ", ".join(names)
