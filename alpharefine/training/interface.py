"""What the training loop and a family's task tell each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset

from alpharefine.training.metrics import Row

Batch = dict[str, Tensor]
"""Collated samples, by name."""


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that share a learning rate."""

    parameters: Sequence[nn.Parameter]
    learning_rate: float


@dataclass(frozen=True)
class EpochChange:
    """Parameters have begun or ceased to be trained.

    Attributes:
        own_groups: None, or parameters for an optimizer that this epoch alone has, in place of the
            run's.
    """

    own_groups: Sequence[ParameterGroup] | None = None


@dataclass(frozen=True)
class Export:
    """Weights for inference, as `alpharefine.weights.files.write_weights` takes them.

    Attributes:
        network: name that the weights are for.
        weights: its state dict.
        facts: what to remember about them, as texts.
    """

    network: str
    weights: Mapping[str, Tensor]
    facts: Mapping[str, str]


class TrainingTask(Protocol):
    """What is trained.

    Attributes:
        module: its forward takes a batch and gives scalar losses by name, "loss" among them.
        criterion: name of the validation metric that chooses the best epoch, larger is better.
    """

    module: nn.Module
    criterion: str

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        """Parameters and their learning rates; those that are not trained yet as well."""
        ...

    def begin_epoch(self, epoch: int, epochs: int) -> "EpochChange | None":
        """Decide what is trained in an epoch.

        Args:
            epoch: 0 for the first.
            epochs: of the whole run.

        Returns:
            None where nothing differs from the epoch before.
        """
        ...

    def samples(self) -> Dataset[dict[str, Tensor]]:
        """Training samples: sample n is the same whenever and wherever it is drawn."""
        ...

    def validate(self, module: nn.Module) -> tuple[Row, Mapping[str, NDArray[np.uint8]]]:
        """Metrics on held-out data, and pictures (RGB) to look at."""
        ...

    def export(self, module: nn.Module, row: Row) -> "Export":
        """Weights for inference, and what is known of them."""
        ...


@dataclass(frozen=True)
class Progress:
    """What an observer of a run is told after every step and every epoch.

    Attributes:
        epoch: running epoch, from 0.
        step: finished steps of the run.
        total_steps: of the run.
        share: of the run that is done, 0..1; by time where the run has a budget.
        row: metrics of the epoch that has just ended, or None.
    """

    epoch: int
    step: int
    total_steps: int
    share: float
    row: Row | None = None


Observer = Callable[[Progress], None]
