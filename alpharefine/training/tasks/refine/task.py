"""Alpha-Refine as a training task, and everything that a recipe of it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.training.clip_data import ClipDataConfig, clip_samples
from alpharefine.training.config import EngineConfig
from alpharefine.training.crops import RefineCropConfig
from alpharefine.training.engine import Export, ParameterGroup
from alpharefine.training.exports import export_network
from alpharefine.training.metrics import Row
from alpharefine.training.run import DrawnSamples, Family
from alpharefine.training.samples import RefineCutter, SampleSet
from alpharefine.training.tasks.refine.metrics import RefineScores
from alpharefine.training.tasks.refine.module import (
    RefineLossConfig,
    RefineOptimConfig,
    RefineTrainingModule,
    build_refine_module,
)
from alpharefine.training.tasks.refine.pictures import prediction_grid


@dataclass(frozen=True)
class RefineDataConfig(ClipDataConfig):
    """Where pairs come from and how they are made.

    Attributes:
        crops: jitter; the size is the network's.
    """

    crops: RefineCropConfig = field(default_factory=RefineCropConfig)

    def __post_init__(self) -> None:
        if (self.clip.train, self.clip.test) != (1, 1):
            raise ValueError("clip: refinement learns from one train and one test frame")


@dataclass(frozen=True)
class RefineRunConfig:
    """Everything that decides a run: the tables of its TOML file."""

    data: RefineDataConfig
    network: RefineNetConfig = field(default_factory=RefineNetConfig)
    optim: RefineOptimConfig = field(default_factory=RefineOptimConfig)
    losses: RefineLossConfig = field(default_factory=RefineLossConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)


class RefineTask:
    """Alpha-Refine as a `TrainingTask`.

    Args:
        module: what is trained.
        optim: learning rates.
        samples: all held-out ones are used at every validation, and the first shown.
        batch_size: of validation.
    """

    criterion = "score"

    def __init__(
        self,
        module: RefineTrainingModule,
        optim: RefineOptimConfig,
        samples: DrawnSamples,
        batch_size: int = 16,
    ) -> None:
        self.module: nn.Module = module
        self._network = module.network
        self._optim = optim
        self._training, self._validation = samples.training, samples.validation
        self._batch_size = batch_size

    def parameter_groups(self) -> list[ParameterGroup]:
        """Heads and neck, then the trained part of the backbone."""
        backbone = [p for p in self._network.backbone.parameters() if p.requires_grad]
        inside = {id(p) for p in backbone}
        others = [p for p in self.module.parameters() if p.requires_grad and id(p) not in inside]
        groups = [
            ParameterGroup(others, self._optim.learning_rate),
            ParameterGroup(backbone, self._optim.backbone_learning_rate),
        ]
        return [group for group in groups if group.parameters]

    def samples(self) -> Dataset[dict[str, Tensor]]:
        """See `TrainingTask`."""
        return self._training

    def validate(self, module: nn.Module) -> tuple[Row, Mapping[str, NDArray[np.uint8]]]:
        """Box and mask IoU of the held-out pairs, and pictures of the first ones."""
        assert isinstance(module, RefineTrainingModule)
        scores = RefineScores()
        pictures: dict[str, NDArray[np.uint8]] = {}
        for batch in DataLoader(self._validation, self._batch_size):
            moved = {name: value.to(module.device) for name, value in batch.items()}
            corners, logits = module.predict(moved)
            scores.add(moved, corners, logits)
            if len(pictures) < 2:
                pictures[f"pairs{len(pictures)}"] = prediction_grid(moved, corners, logits)
        return scores.read(), pictures

    def export(self, module: nn.Module, row: Row) -> Export:
        """The network's own weights, described by architecture and validation metrics."""
        assert isinstance(module, RefineTrainingModule)
        return export_network(self._network.config, module.network, row)


def refine_samples(
    config: RefineDataConfig, root: Path, size: int, seed: int, validation: bool = False
) -> SampleSet:
    """Pairs for training, or the fixed held-out ones, jittered but otherwise unchanged.

    Args:
        config: sources and augmentation.
        root: folder that the sources' paths are relative to.
        size: side of the crops, px.
        seed: of the training pairs.
        validation: which of the two.

    Raises:
        UsageError: a source cannot be read, or nothing is left for this purpose.
    """
    cutter = partial(RefineCutter, replace(config.crops, size=size))
    return clip_samples(config, cutter, root, seed, validation)


def _build(config: RefineRunConfig) -> RefineTrainingModule:
    return build_refine_module(config.network, config.losses, config.optim)


def _draw(config: RefineRunConfig, root: Path, validation: bool) -> SampleSet:
    size, seed = config.network.input_size, config.engine.seed
    return refine_samples(config.data, root, size, seed, validation)


def _task(
    module: RefineTrainingModule, config: RefineRunConfig, samples: DrawnSamples
) -> RefineTask:
    return RefineTask(module, config.optim, samples)


REFINE = Family("Alpha-Refine", RefineRunConfig, _build, _draw, _task)
