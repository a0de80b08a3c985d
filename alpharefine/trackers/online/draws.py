"""All randomness of the tracker, behind one small interface so that it can be replayed."""

from typing import Any, Protocol

import torch
from torch import Tensor


class Draws(Protocol):
    """The random quantities of online trackers; all on the CPU."""

    def shifts(self, count: int) -> Tensor:
        """Uniform shifts of the augmented samples, count x 2, (y, x) in [0, 1)."""
        ...

    def dropout_keep(self, copies: int, channels: int, probability: float) -> Tensor:
        """Channels kept, copies x channels, 0 or 1; each dropped with `probability`."""
        ...

    def boxes(self, count: int) -> Tensor:
        """Uniform jitter of candidate boxes, count x 4, (x, y, w, h) in [0, 1)."""
        ...

    def normal(self, shape: tuple[int, ...], std: float) -> Tensor:
        """Normally distributed numbers with mean 0."""
        ...

    def snapshot(self) -> Any:
        """What decides about the draws to come."""
        ...

    def resume(self, snapshot: Any) -> None:
        """Repeat the draws since a snapshot, of this object or of one of its kind."""
        ...


class GeneratorDraws:
    """Draws from a generator of its own, so that nothing else in the process disturbs them."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def snapshot(self) -> Tensor:
        """See `Draws.snapshot`."""
        return self._generator.get_state()

    def resume(self, snapshot: Any) -> None:
        """See `Draws.resume`."""
        self._generator.set_state(snapshot)

    def shifts(self, count: int) -> Tensor:
        """See `Draws.shifts`; one draw of two numbers a sample."""
        return torch.rand(count, 2, generator=self._generator)

    def dropout_keep(self, copies: int, channels: int, probability: float) -> Tensor:
        """See `Draws.dropout_keep`."""
        uniform = torch.rand(copies, channels, generator=self._generator)
        return (uniform >= probability).float()

    def boxes(self, count: int) -> Tensor:
        """See `Draws.boxes`."""
        return torch.rand(count, 4, generator=self._generator)

    def normal(self, shape: tuple[int, ...], std: float) -> Tensor:
        """See `Draws.normal`."""
        return torch.empty(shape).normal_(0, std, generator=self._generator)
