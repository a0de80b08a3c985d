"""Conjugate gradients for least-squares problems of several blocks of unknowns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Blocks = tuple[Tensor, ...]
"""A point: the unknowns in as many tensors as the problem has parts."""


@dataclass(frozen=True)
class Directions:
    """What a run leaves to a later one of the same problem, slightly changed.

    Attributes:
        direction: the last one.
        residual: before its last change.
        rho: its square in the preconditioner's norm.
    """

    direction: Blocks
    residual: Blocks
    rho: Tensor


@dataclass(frozen=True)
class ConjugateGradient:
    """Solves A x = b.

    Attributes:
        product: p -> A p, A symmetric and positive.
        inner: inner product of two points.
        precondition: residual -> about the solution.
        rule: how a direction depends on the last one.

    Sources: Hestenes and Stiefel, 1952; Polak and Ribiere, 1969, with beta not below 0.
    """

    product: Callable[[Blocks], Blocks]
    inner: Callable[[Blocks, Blocks], Tensor]
    precondition: Callable[[Blocks], Blocks] = lambda blocks: blocks
    rule: Literal["fletcher_reeves", "polak_ribiere"] = "polak_ribiere"

    def run(
        self, start: Blocks, residual: Blocks, steps: int, earlier: Directions | None = None
    ) -> tuple[Blocks, Directions | None]:
        """Take some steps.

        Args:
            start: x.
            residual: b - A x there.
            steps: how many, fewer where the residual vanishes.
            earlier: begin with its direction.

        Returns:
            The new x, and what a later run can begin with.
        """
        x, r, last = start, residual, earlier
        for step in range(steps):
            z = self.precondition(r)
            rho = self.inner(r, z)
            if not bool((rho != 0).all()):
                break
            p = z if last is None else _add(z, self._beta(rho, z, last), last.direction)
            q = self.product(p)
            alpha = rho / self.inner(p, q)
            last = Directions(p, r, rho)
            x = _add(x, alpha, p)
            if step < steps - 1:
                r = _add(r, -alpha, q)
        return x, last

    def _beta(self, rho: Tensor, z: Blocks, last: Directions) -> Tensor:
        if self.rule == "fletcher_reeves":
            return (rho / last.rho).clamp_min(0)
        return ((rho - self.inner(last.residual, z)) / last.rho).clamp_min(0)


def total(a: Blocks, b: Blocks) -> Tensor:
    """The usual inner product of two points."""
    return torch.stack([(x * y).sum() for x, y in zip(a, b, strict=True)]).sum()


def _add(a: Sequence[Tensor], factor: Tensor, b: Sequence[Tensor]) -> Blocks:
    return tuple(x + factor * y for x, y in zip(a, b, strict=True))
