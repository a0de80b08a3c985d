"""How box regressors are trained: which boxes are drawn, and what their values should be."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from alpharefine.nets.iou.box_regressor import BoxRegressor, IouFeatures
from alpharefine.training.tasks.dimp.losses import kl_regression_loss
from alpharefine.training.tasks.dimp.proposals import (
    OverlappingBoxes,
    Proposals,
    draw_overlapping,
    draw_proposals,
)


class BoxObjective(Protocol):
    """Draws boxes and judges their values."""

    def __call__(
        self, regressor: BoxRegressor, modulated: IouFeatures, targets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes drawn around targets.

        Args:
            regressor: in training.
            modulated: features of M frames.
            targets: M x 4, (x, y, w, h) in crop pixels.

        Returns:
            The loss, the boxes M x K x 4, and their values M x K.
        """
        ...


@dataclass(frozen=True)
class DensityObjective:
    """Values are log-densities.

    Attributes:
        count: boxes a frame.
        sigmas: of their two halves.
        target_sigma: of the label.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, section 4.
    """

    count: int
    sigmas: tuple[float, float]
    target_sigma: float

    def __call__(
        self, regressor: BoxRegressor, modulated: IouFeatures, targets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `BoxObjective`."""
        drawn: Proposals = draw_proposals(targets, self.count, self.sigmas, self.target_sigma)
        values = regressor.predict(modulated, drawn.boxes)
        return kl_regression_loss(values, drawn), drawn.boxes, values


@dataclass(frozen=True)
class OverlapObjective:
    """Values are 2 IoU - 1 with the target.

    Attributes:
        count: boxes a frame.
        sigmas: of which each box has one.
        least: overlap of boxes.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 3.1, and the published settings.
    """

    count: int
    sigmas: tuple[float, ...]
    least: float

    def __call__(
        self, regressor: BoxRegressor, modulated: IouFeatures, targets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `BoxObjective`."""
        drawn: OverlappingBoxes = draw_overlapping(targets, self.count, self.sigmas, self.least)
        values = regressor.predict(modulated, drawn.boxes)
        loss = (values.float() - (2 * drawn.overlap - 1)).square().mean()
        return loss, drawn.boxes, values


def judge_boxes(
    regressor: BoxRegressor,
    backbone: IouFeatures,
    boxes: Tensor,
    train_frames: int,
    objective: BoxObjective,
) -> tuple[Tensor, Tensor, Tensor]:
    """What an objective makes of the test frames; the first training frame is the reference.

    Args:
        regressor: in training.
        backbone: B x N x C x H x W at each stride.
        boxes: of the targets, B x N x 4, training frames first.
        train_frames: how many.
        objective: draws boxes and judges their values.
    """
    count, tests = train_frames, boxes.shape[1] - train_frames
    reference = IouFeatures(backbone.fine[:, 0], backbone.coarse[:, 0])
    modulation = regressor.modulation(reference, boxes[:, 0])
    features = regressor.features(
        IouFeatures(
            backbone.fine[:, count:].flatten(0, 1), backbone.coarse[:, count:].flatten(0, 1)
        )
    )
    repeated = IouFeatures(
        modulation.fine.repeat_interleave(tests, 0),
        modulation.coarse.repeat_interleave(tests, 0),
    )
    return objective(
        regressor, regressor.modulate(features, repeated), boxes[:, count:].flatten(0, 1)
    )
