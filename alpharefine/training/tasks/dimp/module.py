"""DiMP as a training module: a batch of frame sets in, losses out."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.dimp.network import DimpNet
from alpharefine.nets.iou.box_regressor import IouFeatures
from alpharefine.nets.iou.features import OnlineFeatures
from alpharefine.ops.target_filter import apply_filter
from alpharefine.training.freezing import stages_until
from alpharefine.training.interface import ParameterGroup
from alpharefine.training.module import TrainingModule, trained_groups
from alpharefine.training.tasks.dimp.box_training import (
    BoxObjective,
    DensityObjective,
    OverlapObjective,
    judge_boxes,
)
from alpharefine.training.tasks.dimp.config import DimpLossConfig, DimpOptimConfig
from alpharefine.training.tasks.dimp.losses import hinge_score_loss
from alpharefine.training.tasks.dimp.pictures import prediction_grid


class DimpTrainingModule(TrainingModule):
    """Learns the filter on the training frames of each sequence and judges it on the test frames.

    Args:
        network: the network to train.
        losses: their weights.
        optim: learning rates, and which parts stay frozen.
        train_frames: the first so many frames of a sample are training frames.

    Source: Bhat et al. (DiMP), ICCV 2019, section 3.5; Danelljan et al. (PrDiMP), CVPR 2020.
    """

    network: DimpNet

    def __init__(
        self,
        network: DimpNet,
        losses: DimpLossConfig,
        optim: DimpOptimConfig,
        train_frames: int,
    ) -> None:
        super().__init__(network, _frozen_parts(network, optim), optim.freeze_norm)
        self._config = losses
        self._optim = optim
        self._train_frames = train_frames
        trained = any(p.requires_grad for p in self._coarse_stage.parameters())
        self._coarse_frozen = not trained

    @property
    def _coarse_stage(self) -> nn.Module:
        """The backbone's stage of stride 16, which reads that of stride 8."""
        return self.network.backbone.get_submodule(self.network.config.iou_stages[1])

    def parameter_groups(self) -> list[ParameterGroup]:
        """See `TrainingModule`."""
        network, optim = self.network, self._optim
        return trained_groups(
            (
                (network.classifier.filter_initializer, optim.initializer),
                (network.classifier.filter_optimizer, optim.optimizer),
                (network.classifier.feature, optim.classifier),
                (network.box_regressor, optim.box_regressor),
                (network.backbone, optim.backbone),
            )
        )

    def backbone(self, images: Tensor) -> IouFeatures:
        """Backbone features of crops: N x S x S x 3 uint8 -> strides 8 and 16."""
        fine, coarse = self.network.config.iou_stages
        stages = self.network.backbone(self.network_input(images), {fine, coarse})
        return IouFeatures(stages[fine], stages[coarse])

    def encode(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """A batch as `forward` takes it, `images` replaced by their features, float16.

        Where the stage of stride 16 is trained, that of stride 8 alone.
        """
        images = batch["images"]
        with torch.no_grad():
            maps = self.backbone(images.flatten(0, 1))
        stages = {"fine": maps.fine, "coarse": maps.coarse}
        if not self._coarse_frozen:
            del stages["coarse"]
        encoded = {
            name: x.half().reshape(*images.shape[:2], *x.shape[1:]) for name, x in stages.items()
        }
        return {**encoded, "boxes": batch["boxes"]}

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses and measures of a batch.

        Args:
            batch: `boxes`, B x N x 4, (x, y, w, h) in crop pixels, training frames first; and
                `images`, B x N x S x S x 3 uint8, or their backbone features `fine` and, where that
                stage is frozen, `coarse`.

        Returns:
            Scalars: `loss` (to minimize), its unweighted parts, and the measures `peak_distance`
            (score cells between the peak and the target) and `hit` (share of peaks within two).
        """
        return self._losses(self._features(batch), batch["boxes"])

    def picture(self, batch: dict[str, Tensor]) -> NDArray[np.uint8]:
        """See `prediction_grid`."""
        return prediction_grid(batch["images"], batch["boxes"], *self.predict(batch))

    def predict(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What the network makes of the test frames of a batch (as `forward` takes it).

        Returns:
            B x T x H x W scores of the last filter; and B x T x 4, (x, y, w, h) in crop pixels, of
            the boxes around the true ones the one that the box regressor values most.
        """
        features, boxes, count = self._features(batch), batch["boxes"], self._train_frames
        clf = features.classification.float()
        target_filter = self._filters(clf[:, :count], boxes[:, :count])[-1]
        _, drawn, values = self._judged_boxes(features.iou, boxes)
        best = values.argmax(1)[:, None, None].expand(-1, 1, 4)
        chosen = drawn.gather(1, best).reshape(boxes[:, count:].shape)
        return apply_filter(clf[:, count:], target_filter), chosen

    def _features(self, batch: dict[str, Tensor]) -> OnlineFeatures:
        if "images" in batch:
            maps = self.backbone(batch["images"].flatten(0, 1))
        else:
            fine = batch["fine"].flatten(0, 1)
            if "coarse" in batch:
                coarse = batch["coarse"].flatten(0, 1)
            else:
                coarse = self._coarse_stage(fine.float())
            maps = IouFeatures(fine, coarse)
        # The classifier reads the same stage as the coarse part of the box regressor.
        clf = self.network.classifier.feature(maps.coarse.float())
        features = OnlineFeatures(clf, IouFeatures(maps.fine.float(), maps.coarse.float()))
        return _split(features, len(batch["boxes"]))

    def _losses(self, features: OnlineFeatures, boxes: Tensor) -> dict[str, Tensor]:
        count, config = self._train_frames, self._config
        clf = features.classification.float()
        filters = self._filters(clf[:, :count], boxes[:, :count])
        score_losses, measures = self._score_losses(filters, clf[:, count:], boxes[:, count:])
        box_loss, _, _ = self._judged_boxes(features.iou, boxes)
        loss = (
            config.box_weight * box_loss
            + config.clf_weight * score_losses[-1]
            + config.clf_init_weight * score_losses[0]
            + config.clf_iter_weight * score_losses[1:-1].mean()
        )
        parts = {"box": box_loss, "clf": score_losses[-1], "clf_init": score_losses[0]}
        return {"loss": loss, **parts, **measures}

    def _judged_boxes(self, backbone: IouFeatures, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        regressor, objective = self.network.box_regressor, _box_objective(self._config)
        return judge_boxes(regressor, backbone, boxes, self._train_frames, objective)

    def _filters(self, train: Tensor, boxes: Tensor) -> list[Tensor]:
        classifier = self.network.classifier
        optimizer = classifier.filter_optimizer
        filters = [classifier.filter_initializer(train, boxes).float()]
        objective = optimizer.objective(boxes, _score_size(train, filters[0]))
        optimizer(filters[0], train, objective, self._config.optimizer_iterations, filters.append)
        return filters

    def _score_losses(
        self, filters: list[Tensor], test: Tensor, boxes: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        optimizer = self.network.classifier.filter_optimizer
        distance = optimizer.center_distance(boxes, _score_size(test, filters[0]))
        label = torch.exp(-0.5 * (distance / self._config.label_sigma) ** 2)
        threshold = self._config.hinge_threshold
        scores = [apply_filter(test, f) for f in filters]
        losses = torch.stack([hinge_score_loss(s, label, threshold) for s in scores])
        peak = scores[-1].detach().flatten(2).argmax(2, keepdim=True)
        missed = distance.flatten(2).gather(2, peak)
        measures = {"peak_distance": missed.mean(), "hit": (missed <= 2).float().mean()}
        return losses, measures


def _box_objective(config: DimpLossConfig) -> BoxObjective:
    if config.box_loss == "overlap":
        return OverlapObjective(config.proposals, config.proposal_sigmas, config.least_overlap)
    narrow, wide = config.proposal_sigmas
    return DensityObjective(config.proposals, (narrow, wide), config.target_sigma)


def _frozen_parts(network: DimpNet, optim: DimpOptimConfig) -> list[nn.Module]:
    backbone = network.backbone
    return [backbone] if optim.backbone == 0 else stages_until(backbone, optim.frozen_until)


def _split(features: OnlineFeatures, sequences: int) -> OnlineFeatures:
    """(B N) x ... -> B x N x ..."""

    def split(x: Tensor) -> Tensor:
        return x.reshape(sequences, -1, *x.shape[1:])

    iou = IouFeatures(split(features.iou.fine), split(features.iou.coarse))
    return OnlineFeatures(split(features.classification), iou)


def _score_size(features: Tensor, target_filter: Tensor) -> tuple[int, int]:
    grow = 1 - target_filter.shape[-1] % 2
    return features.shape[-2] + grow, features.shape[-1] + grow
