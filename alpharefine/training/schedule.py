"""Learning-rate factor over a run."""

import math

from alpharefine.training.config import ScheduleConfig


def rate_factor(schedule: ScheduleConfig, progress: float, epochs: int) -> float:
    """Factor of the learning rates.

    Args:
        schedule: its shape.
        progress: share of the run that is done, 0..1.
        epochs: of the whole run.
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < schedule.warmup:
        return max(progress / schedule.warmup, 1e-3)
    if schedule.shape == "steps":
        return schedule.factor ** math.floor(progress * epochs / schedule.every + 1e-9)
    if schedule.shape == "log":
        epoch = min(math.floor(progress * epochs + 1e-9), epochs - 1)
        return schedule.floor ** (epoch / max(epochs - 1, 1))
    share = (progress - schedule.warmup) / max(1.0 - schedule.warmup, 1e-9)
    return schedule.floor + (1 - schedule.floor) * (1 + math.cos(math.pi * share)) / 2
