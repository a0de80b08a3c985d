"""DiMP as a training task, and a run of it from its configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, default_collate

from alpharefine.errors import UsageError
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.dimp.network import DimpNet
from alpharefine.training.config import EngineConfig
from alpharefine.training.engine import Export, ParameterGroup
from alpharefine.training.exports import begin_with, export_network
from alpharefine.training.feature_cache import collate_plainly
from alpharefine.training.freezing import stages_until
from alpharefine.training.metrics import Mean, Row
from alpharefine.training.pretrained import load_imagenet_weights
from alpharefine.training.run import DrawnSamples, Family
from alpharefine.training.samples import SampleSet
from alpharefine.training.tasks.dimp.config import DimpLossConfig
from alpharefine.training.tasks.dimp.data import DimpDataConfig, dimp_samples
from alpharefine.training.tasks.dimp.module import DimpTrainingModule
from alpharefine.training.tasks.dimp.pictures import prediction_grid

_PICTURES = 8
"""Samples in the picture of a validation."""


@dataclass(frozen=True)
class DimpOptimConfig:
    """Learning rates of the parts; the defaults are super_dimp's.

    Attributes:
        initializer: of the filter initializer.
        optimizer: of the filter optimizer.
        classifier: of the classification feature.
        box_regressor: of the box regressor.
        backbone: of the backbone's trained stages; 0 freezes them all.
        frozen_until: last backbone stage that stays as it is; None trains all.
        imagenet: begin with the backbone's ImageNet weights.
        initial: registered weights, or the export of an earlier run, to begin with.
        freeze_norm: keep the batch statistics of the backbone's trained stages.
        cached_samples: 0, or train on features of so many samples, kept on disk: those of a frozen
            backbone, or of its stage of stride 8 where that of stride 16 is trained.

    Source: the published super_dimp settings.
    """

    initializer: float = 5e-5
    optimizer: float = 5e-4
    classifier: float = 5e-5
    box_regressor: float = 1e-3
    backbone: float = 2e-5
    frozen_until: str | None = "layer2"
    imagenet: bool = True
    initial: str | None = None
    freeze_norm: bool = False
    cached_samples: int = 0

    def __post_init__(self) -> None:
        if self.cached_samples and self.backbone and self.frozen_until != "layer2":
            raise UsageError(
                "cached_samples needs a frozen backbone: set backbone = 0, or frozen_until = layer2"
            )


@dataclass(frozen=True)
class DimpRunConfig:
    """Everything that decides a run: the tables of its TOML file."""

    data: DimpDataConfig
    network: DimpNetConfig = field(default_factory=DimpNetConfig)
    optim: DimpOptimConfig = field(default_factory=DimpOptimConfig)
    losses: DimpLossConfig = field(default_factory=DimpLossConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)


class DimpTask:
    """DiMP as a `TrainingTask`.

    Args:
        module: what is trained.
        optim: learning rates.
        samples: all held-out ones are used at every validation, and the first shown.
        batch_size: of validation.
    """

    criterion = "score"

    def __init__(
        self,
        module: DimpTrainingModule,
        optim: DimpOptimConfig,
        samples: DrawnSamples,
        batch_size: int,
    ) -> None:
        self.module: nn.Module = module
        self._network = module.network
        self._optim = optim
        self._training, self._validation = samples.training, samples.validation
        shown = samples.shown
        self._shown = default_collate([shown[k] for k in range(min(_PICTURES, len(shown)))])
        self._batch_size = batch_size

    def parameter_groups(self) -> list[ParameterGroup]:
        """The network's parts with their own learning rates."""
        classifier, optim = self._network.classifier, self._optim
        rates = (
            (classifier.filter_initializer, optim.initializer),
            (classifier.filter_optimizer, optim.optimizer),
            (classifier.feature, optim.classifier),
            (self._network.box_regressor, optim.box_regressor),
            (self._network.backbone, optim.backbone),
        )
        return [
            ParameterGroup([p for p in part.parameters() if p.requires_grad], rate)
            for part, rate in rates
            if rate > 0
        ]

    def samples(self) -> Dataset[dict[str, Tensor]]:
        """See `TrainingTask`."""
        return self._training

    def validate(self, module: nn.Module) -> tuple[Row, Mapping[str, NDArray[np.uint8]]]:
        """Losses and measures of the held-out samples, and pictures of some of them."""
        assert isinstance(module, DimpTrainingModule)
        means = Mean()
        device = module.device
        for batch in DataLoader(self._validation, self._batch_size, collate_fn=collate_plainly):
            means.add(module({name: value.to(device) for name, value in batch.items()}))
        row = dict(means.read())
        row["score"] = -row["loss"]
        shown = {name: value.to(device) for name, value in self._shown.items()}
        picture = prediction_grid(shown["images"], shown["boxes"], *module.predict(shown))
        return row, {"samples": picture}

    def export(self, module: nn.Module, row: Row) -> Export:
        """The network's own weights, described by architecture and validation metrics."""
        assert isinstance(module, DimpTrainingModule)
        return export_network(module.network.config, module.network, row)


def _build(config: DimpRunConfig) -> DimpTrainingModule:
    network = DimpNet(config.network)
    optim = config.optim
    if optim.initial is not None:
        begin_with(network, config.network, optim.initial)
    elif optim.imagenet:
        load_imagenet_weights(network.backbone)
    frozen = _frozen_parts(network, optim)
    return DimpTrainingModule(
        network, config.losses, config.data.clip.train, frozen, optim.freeze_norm
    )


def _draw(config: DimpRunConfig, root: Path, validation: bool) -> SampleSet:
    return dimp_samples(config.data, root, config.engine.seed, validation)


def _task(module: DimpTrainingModule, config: DimpRunConfig, samples: DrawnSamples) -> DimpTask:
    return DimpTask(module, config.optim, samples, config.engine.batch_size)


def _frozen_parts(network: DimpNet, optim: DimpOptimConfig) -> list[nn.Module]:
    backbone = network.backbone
    return [backbone] if optim.backbone == 0 else stages_until(backbone, optim.frozen_until)


DIMP = Family("DiMP, the base tracker", DimpRunConfig, _build, _draw, _task, caches_validation=True)
