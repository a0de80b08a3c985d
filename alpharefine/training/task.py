"""Any training module as the engine's task."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, default_collate

from alpharefine.training.exports import export_network
from alpharefine.training.feature_cache import collate_plainly
from alpharefine.training.interface import EpochChange, Export, ParameterGroup
from alpharefine.training.metrics import Row
from alpharefine.training.module import TrainingModule
from alpharefine.training.samples import SampleSet

_PICTURES = 16
"""Samples in the picture of a validation."""


@dataclass(frozen=True)
class DrawnSamples:
    """Samples of a run.

    Attributes:
        training: what is learned from, images or cached features.
        validation: held-out samples, of the same kind.
        shown: held-out samples with images, for pictures.
    """

    training: Dataset[dict[str, Tensor]]
    validation: Dataset[dict[str, Tensor]]
    shown: SampleSet


class ModuleTask:
    """A training module as a `TrainingTask`.

    Args:
        module: what is trained.
        samples: all held-out ones are used at every validation, and the first shown.
        batch_size: of validation.
    """

    criterion = "score"

    def __init__(self, module: TrainingModule, samples: DrawnSamples, batch_size: int) -> None:
        self.module: nn.Module = module
        self._module = module
        self._training, self._validation = samples.training, samples.validation
        shown = samples.shown
        self._shown = default_collate([shown[k] for k in range(min(_PICTURES, len(shown)))])
        self._batch_size = batch_size

    def parameter_groups(self) -> list[ParameterGroup]:
        """See `TrainingTask`."""
        return self._module.parameter_groups()

    def begin_epoch(self, epoch: int, epochs: int) -> EpochChange | None:
        """See `TrainingTask`."""
        return self._module.begin_epoch(epoch, epochs)

    def samples(self) -> Dataset[dict[str, Tensor]]:
        """See `TrainingTask`."""
        return self._training

    def validate(self, module: nn.Module) -> tuple[Row, Mapping[str, NDArray[np.uint8]]]:
        """Metrics of the held-out samples, and a picture of the first ones."""
        assert isinstance(module, TrainingModule)
        device = module.device

        def moved(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: value.to(device) for name, value in batch.items()}

        loader = DataLoader(self._validation, self._batch_size, collate_fn=collate_plainly)
        row = module.validate(map(moved, loader))
        return row, {"samples": module.picture(moved(self._shown))}

    def export(self, module: nn.Module, row: Row) -> Export:
        """The network's own weights, described by architecture and validation metrics."""
        assert isinstance(module, TrainingModule)
        return export_network(module.config, module.network, row)
