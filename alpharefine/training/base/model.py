"""DiMP as a training model: a batch of frame sets in, losses out."""

import torch
from torch import Tensor, nn

from alpharefine.nets.dimp import DimpFeatures, DimpNet
from alpharefine.nets.dimp.box_regressor import IouFeatures
from alpharefine.nets.dimp.filter_optimizer import apply_filter
from alpharefine.training.base.config import DimpLossConfig
from alpharefine.training.base.losses import hinge_score_loss, kl_regression_loss
from alpharefine.training.base.proposals import draw_proposals


class DimpTrainingModel(nn.Module):
    """Learns the filter on the training frames of each sequence and judges it on the test frames.

    Args:
        network: the network to train.
        config: losses.

    Source: Bhat et al. (DiMP), ICCV 2019, section 3.5; Danelljan et al. (PrDiMP), CVPR 2020.
    """

    def __init__(self, network: DimpNet, config: DimpLossConfig) -> None:
        super().__init__()
        self.network = network
        self.config = config

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses and measures of a batch.

        Args:
            batch: `train_images` and `test_images`, B x N x 3 x S x S normalised; `train_boxes`
                and `test_boxes`, B x N x 4, (x, y, w, h) in crop pixels.

        Returns:
            Scalars: `loss` (to minimise), its parts, and the measures `peak_distance` (score
            cells between the peak and the target) and `hit` (share of peaks within two cells).
        """
        b, n = batch["train_images"].shape[:2]
        images = torch.cat([batch["train_images"], batch["test_images"]], 1)
        features = self.network(images.flatten(0, 1))
        return self.losses(_split(features, b), n, batch["train_boxes"], batch["test_boxes"])

    def losses(
        self, features: DimpFeatures, train_count: int, train_boxes: Tensor, test_boxes: Tensor
    ) -> dict[str, Tensor]:
        """Losses from features with leading axes B x (train + test frames)."""
        clf = features.classification.float()
        train, test = clf[:, :train_count], clf[:, train_count:]
        filters = self._filters(train, train_boxes)
        score_losses, measures = self._score_losses(filters, test, test_boxes)
        box_loss = self._box_loss(features.iou, train_count, train_boxes, test_boxes)
        config = self.config
        loss = (
            config.box_weight * box_loss
            + config.clf_weight * score_losses[-1]
            + config.clf_init_weight * score_losses[0]
            + config.clf_iter_weight * score_losses[1:-1].mean()
        )
        return {
            "loss": loss,
            "box_loss": box_loss,
            "clf_loss": score_losses[-1],
            "clf_init_loss": score_losses[0],
            **measures,
        }

    def _filters(self, train: Tensor, boxes: Tensor) -> list[Tensor]:
        classifier = self.network.classifier
        optimizer = classifier.filter_optimizer
        filters = [classifier.filter_initializer(train, boxes).float()]
        objective = optimizer.objective(boxes, _score_size(train, filters[0]))
        optimizer(
            filters[0], train, objective, self.config.optimizer_iterations, filters.append
        )
        return filters

    def _score_losses(
        self, filters: list[Tensor], test: Tensor, boxes: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        optimizer = self.network.classifier.filter_optimizer
        distance = optimizer.center_distance(boxes, _score_size(test, filters[0]))
        label = torch.exp(-0.5 * (distance / self.config.label_sigma) ** 2)
        threshold = self.config.hinge_threshold
        scores = [apply_filter(test, f) for f in filters]
        losses = torch.stack([hinge_score_loss(s, label, threshold) for s in scores])
        with torch.no_grad():
            peak = scores[-1].flatten(2).argmax(2, keepdim=True)
            missed = distance.flatten(2).gather(2, peak)
            measures = {"peak_distance": missed.mean(), "hit": (missed <= 2).float().mean()}
        return losses, measures

    def _box_loss(
        self, backbone: IouFeatures, train_count: int, train_boxes: Tensor, test_boxes: Tensor
    ) -> Tensor:
        """The first training frame is the reference; all test frames are judged."""
        regressor, config = self.network.bb_regressor, self.config
        reference = IouFeatures(backbone.fine[:, 0], backbone.coarse[:, 0])
        modulation = regressor.modulation(reference, train_boxes[:, 0])
        tests = test_boxes.shape[1]
        features = regressor.features(
            IouFeatures(
                backbone.fine[:, train_count:].flatten(0, 1),
                backbone.coarse[:, train_count:].flatten(0, 1),
            )
        )
        repeated = IouFeatures(
            modulation.fine.repeat_interleave(tests, 0),
            modulation.coarse.repeat_interleave(tests, 0),
        )
        proposals = draw_proposals(
            test_boxes.flatten(0, 1), config.proposals, config.proposal_sigmas, config.target_sigma
        )
        values = regressor.predict(regressor.modulate(features, repeated), proposals.boxes)
        return kl_regression_loss(values, proposals)


def _split(features: DimpFeatures, sequences: int) -> DimpFeatures:
    """(B N) x ... -> B x N x ..."""

    def split(x: Tensor) -> Tensor:
        return x.reshape(sequences, -1, *x.shape[1:])

    iou = IouFeatures(split(features.iou.fine), split(features.iou.coarse))
    return DimpFeatures(split(features.classification), iou)


def _score_size(features: Tensor, target_filter: Tensor) -> tuple[int, int]:
    grow = 1 - target_filter.shape[-1] % 2
    return features.shape[-2] + grow, features.shape[-1] + grow
