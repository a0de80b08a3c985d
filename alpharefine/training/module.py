"""A network with the losses that it is trained by."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.normalization import Normalization
from alpharefine.nets.spec import IMAGENET, InputSpec, NetworkConfig
from alpharefine.training.interface import Batch, EpochChange, ParameterGroup
from alpharefine.training.metrics import Mean, Row


class TrainingModule(nn.Module, ABC):
    """What the families of networks share: input, frozen parts, validation by the losses.

    Args:
        network: what is trained and exported; has a part `backbone`.
        frozen: parts of the network that stay as they are, batch statistics too.
        freeze_norm: the whole backbone keeps its batch statistics.
        input_spec: what the network expects of its crops.
    """

    def __init__(
        self,
        network: nn.Module,
        frozen: Sequence[nn.Module] = (),
        freeze_norm: bool = False,
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        super().__init__()
        self.network = network
        self.input_spec = input_spec
        self._frozen = tuple(frozen)
        self._freeze_norm = freeze_norm
        self._normalization = Normalization(input_spec)
        for part in self._frozen:
            part.requires_grad_(False)

    @property
    def config(self) -> NetworkConfig:
        """What the network was built from."""
        config: NetworkConfig = self.network.config  # type: ignore[assignment]
        return config

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self._normalization.mean.device

    def train(self, mode: bool = True) -> "TrainingModule":
        """Training mode, except for what is frozen."""
        super().train(mode)
        kept = [self.network.get_submodule("backbone")] if self._freeze_norm else self._frozen
        for part in kept:
            part.eval()
        return self

    def network_input(self, crops: Tensor) -> Tensor:
        """N x S x S x 3 uint8 -> N x 3 x S x S as the network expects it, on its device."""
        return self._normalization(crops.to(self.device).permute(0, 3, 1, 2).float())

    def begin_epoch(self, epoch: int, epochs: int) -> EpochChange | None:
        """See `TrainingTask`."""
        return None

    @abstractmethod
    def parameter_groups(self) -> list[ParameterGroup]:
        """The network's parts with their own learning rates."""

    @abstractmethod
    def encode(self, batch: Batch) -> Batch:
        """What is kept of a batch when the features of frozen parts are cached.

        `forward` takes it as it takes the batch itself.
        """

    def validate(self, batches: Iterable[Batch]) -> Row:
        """Metrics of held-out batches, `score` among them: larger is better.

        These are the means of what `forward` gives.
        """
        means = Mean()
        for batch in batches:
            means.add(self(batch))
        row = means.read()
        return {**row, "score": self.score(row)}

    def score(self, row: Row) -> float:
        """What chooses the best epoch, from its other metrics: minus the loss."""
        return -row["loss"]

    @abstractmethod
    def picture(self, batch: Batch) -> NDArray[np.uint8]:
        """What the network makes of a batch with images, as an RGB picture."""


def trained_groups(parts: Iterable[tuple[nn.Module, float]]) -> list[ParameterGroup]:
    """Parameter groups of parts with their learning rates, without what is not trained."""
    groups = (
        ParameterGroup([p for p in part.parameters() if p.requires_grad], rate)
        for part, rate in parts
        if rate > 0
    )
    return [group for group in groups if group.parameters]
