"""Siamese networks as training modules: a batch of pairs in, losses out."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.registry import input_of
from alpharefine.nets.spec import NetworkConfig
from alpharefine.training.interface import Batch, EpochChange, ParameterGroup
from alpharefine.training.module import TrainingModule
from alpharefine.training.tasks.siamese.config import SiameseLossConfig, SiameseOptimConfig
from alpharefine.training.tasks.siamese.losses import LOSSES
from alpharefine.training.tasks.siamese.pictures import prediction_grid
from alpharefine.training.tasks.siamese.unlocking import UnlockingBackbone

_OFFICIALLY_NORMALIZING = "layer2.0"
_SIDES = ("template", "search")


class SiameseNetwork(Protocol):
    """What the networks of all Siamese trackers have."""

    backbone: nn.Module

    def features(self, images: Tensor) -> Mapping[str, Tensor]:
        """N x 3 x S x S normalized images -> stage -> N x C x s x s."""
        ...

    def template(self, features: Mapping[str, Tensor]) -> Any:
        """What `predict` needs of templates."""
        ...

    def predict(self, features: Mapping[str, Tensor], template: Any) -> Any:
        """The answer for search images with these features."""
        ...


class SiameseModule(TrainingModule):
    """Compares templates with search crops.

    Args:
        network: follows `SiameseNetwork`.
        config: what it was built from.
        losses: what is minimized.
        optim: learning rates, and which parts of the backbone are trained when.
    """

    def __init__(
        self,
        network: nn.Module,
        config: NetworkConfig,
        losses: SiameseLossConfig,
        optim: SiameseOptimConfig,
    ) -> None:
        super().__init__(network, input_spec=input_of(config))
        self._optim = optim
        self._negative_pairs = losses.negative_pairs
        self._loss = LOSSES[losses.classification]
        official = optim.unlocking == "official"
        self._unlocking = UnlockingBackbone(
            network.get_submodule("backbone"),
            optim.unlock,
            [_OFFICIALLY_NORMALIZING] if official else [],
        )

    def train(self, mode: bool = True) -> "SiameseModule":
        """Training mode, except for what is not trained now."""
        super().train(mode)
        self._unlocking.set_modes(mode and not self._optim.freeze_norm)
        return self

    def begin_epoch(self, epoch: int, epochs: int) -> EpochChange | None:
        """Open the backbone's parts that are trained from this epoch on."""
        if self._optim.unlocking == "kept":
            return EpochChange() if self._unlocking.open_for(epoch, epochs) else None
        if epoch > 0:
            self._unlocking.open_for(epoch - 1, epochs)
        is_new = self._unlocking.open_for(epoch, epochs)
        return EpochChange(
            self._groups(self._unlocking.open_parameters) if epoch and is_new else None
        )

    def parameter_groups(self) -> list[ParameterGroup]:
        """The heads, and the parts of the backbone that are trained at some time."""
        if self._optim.unlocking == "official":
            return self._groups(self._unlocking.open_parameters)
        return self._groups(self._unlocking.parameters)

    def _groups(self, backbone: list[nn.Parameter]) -> list[ParameterGroup]:
        inside = {id(p) for p in self.network.get_submodule("backbone").parameters()}
        heads = [p for p in self.network.parameters() if id(p) not in inside]
        groups = (
            ParameterGroup(heads, self._optim.learning_rate),
            ParameterGroup(backbone, self._optim.backbone_learning_rate),
        )
        return [group for group in groups if group.parameters]

    def encode(self, batch: Batch) -> Batch:
        """Backbone features in place of the crops, float16."""
        with torch.no_grad():
            features = {side: self._features(batch, side) for side in _SIDES}
        encoded = {
            f"{side}_{stage}": value.half()
            for side, stages in features.items()
            for stage, value in stages.items()
        }
        return encoded | {name: batch[name] for name in ("box", "displacement")}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Losses and measures of a batch: "loss", its parts, and how well it is found.

        Args:
            batch: what `SiameseCutter` gives, or `encode` of it.
        """
        count = len(batch["box"])
        foreign = torch.zeros(count, dtype=torch.bool)
        if self.training and count > 1:
            foreign = torch.rand(count) < self._negative_pairs
        order = (torch.arange(count) + foreign) % count
        return self.losses(self.answer(batch, order), batch, foreign)

    def answer(self, batch: Batch, order: Tensor | None = None) -> Any:
        """What the network answers.

        Args:
            batch: as `forward` takes it.
            order: which template goes with each search crop; None: its own.
        """
        network: SiameseNetwork = self.network  # type: ignore[assignment]
        templates = self._features(batch, "template")
        if order is not None:
            chosen = order.to(self.device)
            templates = {stage: value[chosen] for stage, value in templates.items()}
        return network.predict(self._features(batch, "search"), network.template(templates))

    def picture(self, batch: Batch) -> NDArray[np.uint8]:
        """See `prediction_grid`."""
        scores, boxes = self.found(self.answer(batch))
        return prediction_grid(batch, scores, boxes)

    @abstractmethod
    def losses(self, answer: Any, batch: Batch, foreign: Tensor) -> dict[str, Tensor]:
        """Losses and measures of an answer.

        Args:
            answer: of the network.
            batch: `box` and `displacement` are read.
            foreign: N bool, pairs whose template shows another target.
        """

    @abstractmethod
    def found(self, answer: Any) -> tuple[Tensor, Tensor | None]:
        """N x s x s scores 0..1, and the best box of each pair (N x 4 corners, search px)."""

    def _features(self, batch: Batch, side: str) -> Mapping[str, Tensor]:
        network: SiameseNetwork = self.network  # type: ignore[assignment]
        if side in batch:
            return network.features(self.network_input(batch[side]))
        prefix = f"{side}_"
        return {
            name.removeprefix(prefix): value.float()
            for name, value in batch.items()
            if name.startswith(prefix)
        }
