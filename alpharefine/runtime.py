"""Where and how precisely networks run."""

import functools
import logging
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from alpharefine.errors import UsageError
from alpharefine.nets.inference.forms import put_into_inference_form

_log = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Runtime:
    """Device and floating-point type of network inference."""

    device: torch.device
    dtype: torch.dtype

    @property
    def precision(self) -> str:
        """Name of the type, a key of `PRECISIONS`."""
        return next(name for name, dtype in PRECISIONS.items() if dtype is self.dtype)

    def prepare(self, network: Network) -> Network:
        """Move a network here, in its inference form: of no use for training any more.

        Load its weights before. On a GPU, float32 then is float32 in the whole process: cuDNN would
        compute convolutions in TF32, whose numbers have ten bits.
        """
        self.forbid_tf32()
        network = network.eval().requires_grad_(False)
        put_into_inference_form(network)
        # The keyword is missing from torch's type hints for this form of the call.
        return network.to(self.device, self.dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forbid_tf32(self) -> None:
        """Have cuDNN compute in float32 where this runtime does."""
        if self.device.type == "cuda" and self.dtype is torch.float32:
            torch.backends.cudnn.allow_tf32 = False


def resolve_runtime(device: str = "auto", precision: str = "float32") -> Runtime:
    """Choose a runtime.

    Args:
        device: "auto" (CUDA where present, else CPU), or any torch device name. MPS is untried.
        precision: "float32", "bfloat16", "float16", or "auto": the fastest one that is safe on the
            device, see `fastest_precision`.

    Raises:
        UsageError: the device is absent or the precision unknown.
    """
    if precision != "auto" and precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}; choose auto, {', '.join(PRECISIONS)}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"device {device!r} is not usable here; choose auto, cpu or cuda"
        ) from error
    chosen = fastest_precision(resolved) if precision == "auto" else precision
    warn_of_emulation(resolved, PRECISIONS[chosen])
    return Runtime(resolved, PRECISIONS[chosen])


@functools.cache
def warn_of_emulation(device: torch.device, dtype: torch.dtype) -> None:
    """Say, once a process, that a processor computes bfloat16 many times slower than float32."""
    if device.type == "cpu" and dtype is torch.bfloat16 and fastest_precision(device) != "bfloat16":
        _log.warning(
            "this processor has no instructions for bfloat16 and emulates it, many times slower "
            "than float32; choose the precision float32 or auto"
        )


def fastest_precision(device: torch.device) -> str:
    """The fastest precision of a device whose results stay close to float32's.

    bfloat16 where the hardware computes it (CPUs with AMX or AVX512-BF16, CUDA from compute
    capability 8 on), float16 on CUDA from 7 on, else float32. How close is tested, see
    `tests/nets/test_precision.py`.
    """
    match device.type:
        case "cpu":
            # Without these instructions oneDNN emulates bfloat16, slower than float32.
            checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
            is_native = any(getattr(torch.cpu, check, bool)() for check in checks)
            return "bfloat16" if is_native else "float32"
        case "cuda":
            major = torch.cuda.get_device_capability(device)[0]
            return "bfloat16" if major >= 8 else "float16" if major == 7 else "float32"
        case _:
            return "float32"
