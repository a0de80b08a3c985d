"""Which parts of a backbone are trained in which epoch."""

from collections.abc import Sequence

from torch import nn

from alpharefine.errors import UsageError
from alpharefine.training.tasks.siamese.config import Unlock

_ROUNDING = 1e-9


class UnlockingBackbone:
    """Opens parts of a backbone as a run goes on.

    Args:
        backbone: all of it is frozen at first.
        schedule: which parts are opened, and when.
        always_normalizing: parts whose batch norms use the batch even while they are frozen.

    Raises:
        UsageError: the backbone has no such part.

    Source: Zhang and Peng (SiamDW), CVPR 2019, section 5.
    """

    def __init__(
        self,
        backbone: nn.Module,
        schedule: Sequence[Unlock],
        always_normalizing: Sequence[str] = (),
    ) -> None:
        self._backbone = backbone
        self._schedule = schedule
        self._normalizing = [backbone.get_submodule(name) for name in always_normalizing]
        self._parts = [_part(backbone, unlock.part) for unlock in schedule]
        self._open: list[nn.Module] = []
        self.open_for(0, 1_000_000)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Of all parts that are open at some time."""
        return [p for part in self._parts for p in part.parameters()]

    @property
    def open_parameters(self) -> list[nn.Parameter]:
        """Of the parts that are open now."""
        return [p for part in self._open for p in part.parameters()]

    def open_for(self, epoch: int, epochs: int) -> bool:
        """Open what an epoch trains.

        Args:
            epoch: 0 for the first.
            epochs: of the run.

        Returns:
            Whether that is something else than before.
        """
        share = (epoch + 1) / epochs + _ROUNDING
        before = self._open
        self._open = [
            part
            for part, unlock in zip(self._parts, self._schedule, strict=True)
            if share >= unlock.share
        ]
        self._backbone.requires_grad_(False)
        for part in self._open:
            part.requires_grad_(True)
        return self._open != before

    def set_modes(self, training: bool) -> None:
        """Training mode where parts are trained, and batch norms of open parts use the batch."""
        self._backbone.eval()
        for part in [*self._open, *self._normalizing]:
            part.train(training)


def _part(backbone: nn.Module, name: str) -> nn.Module:
    try:
        return backbone.get_submodule(name)
    except AttributeError as error:
        known = ", ".join(child for child, _ in backbone.named_children())
        raise UsageError(
            f"unlock: the backbone has no part {name!r}; its parts are {known}, and what they hold"
        ) from error
