"""Ridge regression of a label from a feature map by gradient descent, in two equal forms."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alpharefine.trackers.siamrpn.channels import ChannelSelectionConfig, LevelSelection


@dataclass(frozen=True)
class Ridge:
    """A regression.

    Attributes:
        weights: C x k x k.
        bias: a number.
        losses: mean squared error before each step, and before the one that was not taken.
    """

    weights: Tensor
    bias: float
    losses: list[float]

    @property
    def importance(self) -> Tensor:
        """Sum of each channel's weights, C."""
        return self.weights.sum((1, 2))


def gaussian_label(cells: int, sigma: float) -> Tensor:
    """Cells x cells, 1 in the middle; float64."""
    offsets = torch.arange(cells, dtype=torch.float64) - cells // 2
    squares = offsets**2
    return torch.exp(-0.2 * (squares[:, None] + squares) / sigma**2)


def fit_ridge(features: Tensor, level: LevelSelection, config: ChannelSelectionConfig) -> Ridge:
    """Regress the label of a centered target.

    Args:
        features: C x s x s.
        level: learning rate and momentum.
        config: the rest.

    Returns:
        Weights and losses are not finite where the descent has diverged.
    """
    label = gaussian_label(features.shape[-1], config.label_sigma).to(features.device)
    if config.form == "dual":
        return _fit_dual(features.double(), label, level, config)
    return _fit_primal(features.float(), label.float(), level, config)


def _fit_primal(
    x: Tensor, label: Tensor, level: LevelSelection, config: ChannelSelectionConfig
) -> Ridge:
    padding = config.kernel // 2
    weights, bias = x.new_zeros(1, len(x), config.kernel, config.kernel), x.new_zeros(1)
    patches = F.pad(x, (padding,) * 4)[:, None]
    descent = _Descent(level, config)
    losses: list[float] = []
    for _ in range(config.max_steps):
        residual = F.conv2d(x[None], weights, bias, padding=padding)[0, 0] - label
        losses.append(float(residual.square().mean()))
        if losses[-1] + config.weight_decay * float(weights.square().sum()) < config.target_loss:
            break
        slope = 2 / label.numel() * residual
        gradient = F.conv2d(patches, slope[None, None])[:, 0][None]
        weights, bias = descent.step((weights, bias), (gradient, slope.sum()[None]))
    return Ridge(weights[0], float(bias), losses)


def _fit_dual(
    x: Tensor, label: Tensor, level: LevelSelection, config: ChannelSelectionConfig
) -> Ridge:
    """The weights are sums of the label's positions' patches, since descent begins at zero."""
    gram = _patch_gram(x, config.kernel // 2)
    target = label.flatten()
    coefficients, bias = torch.zeros_like(target), target.new_zeros(1)
    descent = _Descent(level, config)
    losses: list[float] = []
    for _ in range(config.max_steps):
        product = gram @ coefficients
        residual = product + bias - target
        losses.append(float(residual.square().mean()))
        if losses[-1] + config.weight_decay * float(coefficients @ product) < config.target_loss:
            break
        slope = 2 / target.numel() * residual
        coefficients, bias = descent.step((coefficients, bias), (slope, slope.sum()[None]))
    weights = _combine_patches(x, coefficients.reshape_as(label), config.kernel)
    return Ridge(weights, float(bias), losses)


def _combine_patches(x: Tensor, coefficients: Tensor, kernel: int) -> Tensor:
    """Sum of the patches around all positions, C x k x k, each times its coefficient."""
    cells = x.shape[-1]
    padded = F.pad(x, (kernel // 2,) * 4)
    windows = padded.unfold(1, cells, 1).unfold(2, cells, 1)
    # Row by row, since the product copies what it takes.
    rows = [torch.einsum("ckyx,yx->ck", windows[:, i], coefficients) for i in range(kernel)]
    return torch.stack(rows, 1)


class _Descent:
    """Stochastic gradient descent's step with momentum and weight decay."""

    def __init__(self, level: LevelSelection, config: ChannelSelectionConfig) -> None:
        self._level, self._decay = level, config.weight_decay
        self._velocities: list[Tensor] | None = None

    def step(
        self, values: tuple[Tensor, Tensor], gradients: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        decayed = [g + self._decay * v for v, g in zip(values, gradients, strict=True)]
        if self._velocities is None:
            self._velocities = decayed
        else:
            momentum, last = self._level.momentum, self._velocities
            self._velocities = [momentum * v + g for v, g in zip(last, decayed, strict=True)]
        first, second = (
            value - self._level.learning_rate * velocity
            for value, velocity in zip(values, self._velocities, strict=True)
        )
        return first, second


def _patch_gram(x: Tensor, radius: int) -> Tensor:
    """Products of all pairs of patches, s^2 x s^2; zero outside the map.

    Args:
        x: C x s x s.
        radius: of a patch, cells.
    """
    cells = x.shape[-1]
    flat = x.flatten(1)
    gram = (flat.T @ flat).reshape(cells, cells, cells, cells)
    # A patch's cells are the same offset away in both: a sum along diagonals, row by row.
    for rows, columns in ((0, 2), (1, 3)):
        padding = [0] * 8
        for axis in (rows, columns):
            padding[2 * (3 - axis)] = padding[2 * (3 - axis) + 1] = radius
        padded = F.pad(gram, padding)
        shifted = (
            padded.narrow(rows, offset, cells).narrow(columns, offset, cells)
            for offset in range(2 * radius + 1)
        )
        gram = torch.zeros_like(gram)
        for part in shifted:
            gram += part
    return gram.reshape(cells**2, cells**2)
