"""One step of the weights: number type, optimizer, clipped gradients, averages."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from alpharefine.errors import UsageError
from alpharefine.runtime import PRECISIONS, fastest_precision
from alpharefine.training.config import EngineConfig
from alpharefine.training.interface import ParameterGroup


def autocast_type(precision: str, device: torch.device) -> torch.dtype:
    """Type of the mixed-precision regions: see `EngineConfig.precision`.

    Raises:
        UsageError: unknown precision.
    """
    if precision == "auto":
        native = device.type == "cuda" or fastest_precision(device) == "bfloat16"
        return torch.bfloat16 if native else torch.float32
    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}; choose auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[precision]


def make_optimizer(groups: Sequence[ParameterGroup], config: EngineConfig) -> torch.optim.Optimizer:
    """The optimizer that a recipe names, with the groups' learning rates."""
    parameters = [{"params": list(g.parameters), "lr": g.learning_rate} for g in groups]
    if config.optimizer == "sgd":
        momentum, decay = config.momentum, config.weight_decay
        return torch.optim.SGD(parameters, momentum=momentum, weight_decay=decay)
    if config.weight_decay > 0:
        return torch.optim.AdamW(parameters, weight_decay=config.weight_decay)
    return torch.optim.Adam(parameters)


def take_step(
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    config: EngineConfig,
    scaler: torch.amp.GradScaler | None = None,
) -> None:
    """Change parameters by the gradients of a loss, clipped to `config.max_grad_norm`.

    Args:
        module: whose gradients are clipped together, also those that `optimizer` does not read.
        optimizer: its gradients are cleared before.
        loss: scalar.
        config: of the run.
        scaler: for float16.
    """
    scaler = scaler or torch.amp.GradScaler(enabled=False)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(scaler.scale(loss))
    if config.max_grad_norm > 0:
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(module.parameters(), config.max_grad_norm)
    scaler.step(optimizer)
    scaler.update()


def make_average(module: nn.Module, config: EngineConfig) -> AveragedModel | None:
    """Weights averaged over the steps with `config.ema_decay`; None where that is 0."""
    if config.ema_decay == 0:
        return None

    def update(averages: Any, values: Any, count: Tensor | int) -> None:
        """Short memory at first, so that the random beginning is soon forgotten."""
        decay = min(config.ema_decay, (1 + int(count)) / (10 + int(count)))
        for average, value in zip(averages, values, strict=True):
            if average.is_floating_point():
                average.lerp_(value, 1 - decay)
            else:
                average.copy_(value)

    return AveragedModel(module, multi_avg_fn=update, use_buffers=True)
