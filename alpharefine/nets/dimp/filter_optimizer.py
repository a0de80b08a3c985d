"""DiMP's target filter, optimized by steepest descent."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alpharefine.ops.target_filter import apply_adjoint, apply_filter


@dataclass(frozen=True)
class FilterObjective:
    """The least-squares problem of one set of samples.

    Attributes:
        label: wanted scores y, S x N x H' x W'.
        target_mask: m in [0, 1]: 0 keeps the absolute score, 1 leaves the score as it is.
        weight: residual weight, the learned spatial weight times the root of the sample weight.
        regularization: filter regularisation lambda, scalar.
    """

    label: Tensor
    target_mask: Tensor
    weight: Tensor
    regularization: Tensor

    def activation(self, scores: Tensor) -> Tensor:
        """Leaky activation of scores outside the target region, identity inside."""
        return self._odd * scores.abs() + self._even * scores

    def activation_slope(self, scores: Tensor) -> Tensor:
        """Derivative of `activation`."""
        return self._odd * scores.sign() + self._even

    def residual(self, scores: Tensor) -> Tensor:
        """Weighted residual of the scores."""
        return self.weight * (self.activation(scores) - self.label)

    @property
    def _odd(self) -> Tensor:
        return (1 - self.target_mask) / 2

    @property
    def _even(self) -> Tensor:
        return (1 + self.target_mask) / 2


class FilterOptimizer(nn.Module):
    """Steepest descent with the Gauss-Newton step length on the learned DiMP objective.

    Source: Bhat et al., ICCV 2019, sections 3.2 to 3.4; the objective's label, target mask and
    spatial weight are piecewise linear functions of the distance to the target center.
    """

    def __init__(self, bins: int, bin_width: float, stride: int) -> None:
        super().__init__()
        self.bin_width = bin_width
        self.stride = stride
        self.log_step_length = nn.Parameter(torch.full((1,), math.log(0.9)))
        self.filter_reg = nn.Parameter(torch.full((1,), 0.1))
        self.label_map_predictor = nn.Conv2d(bins, 1, 1, bias=False)
        self.target_mask_predictor = nn.Sequential(nn.Conv2d(bins, 1, 1, bias=False), nn.Sigmoid())
        self.spatial_weight_predictor = nn.Conv2d(bins, 1, 1, bias=False)
        self._initialize_tables(bins)

    def inference_form(self) -> nn.Module:
        """See `alpharefine.nets.inference.forms`: its convolutions are tables of numbers."""
        return self

    def _initialize_tables(self, bins: int) -> None:
        distance = torch.arange(bins) * self.bin_width
        with torch.no_grad():
            label = torch.exp(-0.5 * (distance / (22 / 24)) ** 2)
            self.label_map_predictor.weight.copy_(label.reshape(1, -1, 1, 1))
            mask = 3.0 * torch.tanh(2.0 - distance)
            self._mask_table.copy_(mask.reshape(1, -1, 1, 1))
            self.spatial_weight_predictor.weight.fill_(1.0)

    @property
    def _mask_table(self) -> Tensor:
        return self.target_mask_predictor.get_parameter("0.weight")

    def center_distance(self, boxes: Tensor, score_size: tuple[int, int]) -> Tensor:
        """Distance of each score cell to the box center, in score cells.

        Args:
            boxes: S x N x 4, (x, y, w, h) in crop pixels.
            score_size: rows and columns of the score map.

        Returns:
            S x N x H' x W'.
        """
        center = (boxes[..., :2] + boxes[..., 2:] / 2) / self.stride
        rows = torch.arange(score_size[0], device=boxes.device, dtype=boxes.dtype)
        columns = torch.arange(score_size[1], device=boxes.device, dtype=boxes.dtype)
        dy = rows - center[..., 1, None]
        dx = columns - center[..., 0, None]
        return (dy[..., :, None] ** 2 + dx[..., None, :] ** 2).sqrt()

    def radial_function(self, tables: Tensor, distance: Tensor) -> Tensor:
        """Piecewise linear functions of distance, constant beyond the last bin.

        Args:
            tables: T x bins values at distances 0, bin_width, 2 bin_width, ...
            distance: any shape, score cells.

        Returns:
            T x the shape of `distance`.
        """
        last = tables.shape[1] - 1
        position = (distance / self.bin_width).clamp(max=last)
        lower = position.floor().clamp(max=last - 1)
        fraction = position - lower
        index = lower.long()
        return tables[:, index] * (1 - fraction) + tables[:, index + 1] * fraction

    def objective(
        self, boxes: Tensor, score_size: tuple[int, int], sample_weight: Tensor | None = None
    ) -> FilterObjective:
        """The objective for samples with known boxes.

        Args:
            boxes: S x N x 4, (x, y, w, h) in crop pixels.
            score_size: rows and columns of the score map.
            sample_weight: S x N, or None for 1/N each.
        """
        tables = torch.cat(
            [
                self.label_map_predictor.weight,
                self._mask_table,
                self.spatial_weight_predictor.weight,
            ]
        ).flatten(1)
        distance = self.center_distance(boxes, score_size)
        label, mask_logit, spatial = self.radial_function(tables, distance)
        if sample_weight is None:
            root: Tensor | float = math.sqrt(1 / boxes.shape[1])
        else:
            root = sample_weight.sqrt()[..., None, None]
        regularization = (self.filter_reg**2).clamp_min(1e-6)
        return FilterObjective(label, mask_logit.sigmoid(), root * spatial, regularization)

    def forward(
        self,
        target_filter: Tensor,
        features: Tensor,
        objective: FilterObjective,
        iterations: int,
        on_iterate: Callable[[Tensor], None] | None = None,
    ) -> Tensor:
        """Optimise a filter.

        Args:
            target_filter: start, S x C x k x k.
            features: S x N x C x H x W.
            objective: from `objective` for the same samples.
            iterations: number of steps.
            on_iterate: called with the filter after each step (training sums a loss over them).

        Returns:
            The filter after the last step, S x C x k x k.
        """
        k = target_filter.shape[-1]
        step_length = self.log_step_length.exp()
        for _ in range(iterations):
            scores = apply_filter(features, target_filter)
            slope = objective.activation_slope(scores)
            mapped = slope * objective.weight * objective.residual(scores)
            gradient = apply_adjoint(features, mapped, k) + objective.regularization * target_filter
            curved = objective.weight * slope * apply_filter(features, gradient)
            squared_norm = gradient.flatten(1).square().sum(1)
            curvature = curved.flatten(1).square().sum(1) + objective.regularization * squared_norm
            alpha = squared_norm / curvature.clamp_min(1e-8)
            target_filter = target_filter - step_length * alpha.reshape(-1, 1, 1, 1) * gradient
            if on_iterate is not None:
                on_iterate(target_filter)
        return target_filter

    def loss(self, target_filter: Tensor, features: Tensor, objective: FilterObjective) -> Tensor:
        """Value of the objective, one number a sequence (S)."""
        residual = objective.residual(apply_filter(features, target_filter))
        regularizer = objective.regularization * target_filter.flatten(1).square().sum(1)
        return residual.flatten(1).square().sum(1) + regularizer
