"""Losses of scores, and the balance of targets and background.

All take raw scores and labels in {0, 1} of one shape and give a loss for each. A score of two
channels, background and target, is the target's minus the background's: its softmax is the
logistic function of that, so that the losses are the same.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

ElementLoss = Callable[[Tensor, Tensor], Tensor]
LossName = Literal["logistic", "hinge", "squared_hinge", "focal", "hinge_fork", "focal_fork"]

_GAMMA = 2.0
_FORK_EPSILON = 1e-6


def logistic(scores: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy."""
    return F.binary_cross_entropy_with_logits(scores, labels, reduction="none")


def hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """max(0, 1 - y s) with y = -1 for background and 1 for targets."""
    return (1 - (2 * labels - 1) * scores).clamp_min(0)


def squared_hinge(scores: Tensor, labels: Tensor) -> Tensor:
    """The square of `hinge`."""
    return hinge(scores, labels).square()


def focal(scores: Tensor, labels: Tensor, gamma: float = _GAMMA) -> Tensor:
    """Cross-entropy that counts the less the surer the right answer is already.

    Source: Lin et al., "Focal Loss for Dense Object Detection" (ICCV 2017), without alpha.
    """
    entropy = logistic(scores, labels)
    return (1 - (-entropy).exp()) ** gamma * entropy


def detached_focal(
    scores: Tensor,
    labels: Tensor,
    gamma: float = 0.0,
    alpha: tuple[float, float] = (1.0, 1.0),
) -> Tensor:
    """`focal` whose weight has no gradient, with a factor for each class, background first.

    One of the variants of a published SiamDW fork.
    """
    entropy = logistic(scores, labels)
    factor = labels * (alpha[1] - alpha[0]) + alpha[0]
    weight = (1 - (-entropy).exp()).detach() ** gamma
    return factor * weight * entropy


def hinge_fork(scores: Tensor, labels: Tensor) -> Tensor:
    """What a published SiamDW fork calls hinge loss; for comparison only.

    It is torch's `HingeEmbeddingLoss`, which takes distances and labels of -1 and 1, with scores
    and labels of 0 and 1: s for targets, max(1, s) for background. It has no minimum and ranks
    background above targets.
    """
    return torch.where(labels > 0, scores, scores.clamp_min(1))


def focal_fork(scores: Tensor, labels: Tensor) -> Tensor:
    """`focal` with the small numbers that a published SiamDW fork adds."""
    entropy = logistic(scores, labels) + _FORK_EPSILON
    weight = (1 - (-entropy).exp()) ** _GAMMA + _FORK_EPSILON
    return weight * entropy + 2 * _FORK_EPSILON


LOSSES: Mapping[LossName, ElementLoss] = {
    "logistic": logistic,
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "focal": focal,
    "hinge_fork": hinge_fork,
    "focal_fork": focal_fork,
}
"""Name -> loss of each score."""


def balanced_loss(loss: ElementLoss, scores: Tensor, labels: Tensor) -> Tensor:
    """Half the mean over targets and half the mean over background of a whole batch.

    A class that is missing adds nothing. The published program also leaves out a single target.

    Args:
        loss: of each score.
        scores: any shape, float.
        labels: the same shape: 1 target, 0 background, anything else does not count.
    """
    total = scores.new_zeros(())
    for label in (0, 1):
        chosen = labels == label
        values = loss(scores, torch.full_like(scores, label)) * chosen
        total = total + 0.5 * values.sum() / chosen.sum().clamp_min(1)
    return total


def background_loss(loss: ElementLoss, scores: Tensor, labels: Tensor) -> Tensor:
    """The mean over background alone; arguments as `balanced_loss`."""
    chosen = labels == 0
    values = loss(scores, torch.zeros_like(scores)) * chosen
    return values.sum() / chosen.sum().clamp_min(1)


def offset_loss(offsets: Tensor, wanted: Tensor, labels: Tensor) -> Tensor:
    """Sum over the coordinates of the absolute errors, mean over a pair's positives, then pairs.

    Args:
        offsets: N x 4 x A x s x s.
        wanted: the same shape.
        labels: N x A x s x s, 1 where an anchor is positive.
    """
    positive = (labels == 1).to(offsets.dtype)
    weights = positive / (positive.sum((1, 2, 3), keepdim=True) + 1e-6)
    errors = (offsets - wanted).abs().sum(1)
    return (errors * weights).sum() / len(offsets)
