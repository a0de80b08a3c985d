"""Losses of DiMP and of the PrDiMP box regression."""

import math

import torch
from torch import Tensor

from alpharefine.training.tasks.dimp.proposals import Proposals


def kl_regression_loss(values: Tensor, proposals: Proposals) -> Tensor:
    """KL divergence from the label distribution to the predicted one, by importance sampling.

    Args:
        values: B x K predicted log-densities (unnormalized) of the proposals.
        proposals: with their densities.

    Returns:
        Scalar, up to the label's constant entropy.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, equation 8.
    """
    values = values.float()
    log_partition = torch.logsumexp(values - proposals.log_density, 1) - math.log(values.shape[1])
    importance = (proposals.log_target_density - proposals.log_density).exp()
    return (log_partition - (values * importance).mean(1)).mean()


def hinge_score_loss(scores: Tensor, label: Tensor, threshold: float) -> Tensor:
    """Squared error where the label is high; elsewhere only positive scores are penalized.

    Args:
        scores: any shape.
        label: wanted scores, the same shape.
        threshold: label that separates target from background.

    Source: Bhat et al. (DiMP), ICCV 2019, section 3.5, equation 9.
    """
    target = label >= threshold
    error = torch.where(target, scores - label, scores.clamp_min(0))
    return error.square().mean()
