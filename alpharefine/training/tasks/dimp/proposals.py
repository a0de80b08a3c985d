"""Random boxes around a target with the density they were drawn with."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Proposals:
    """Boxes around targets.

    Attributes:
        boxes: B x K x 4, (x, y, w, h) in crop pixels.
        log_density: B x K, log density they were drawn with, in relative coordinates.
        log_target_density: B x K, log density of the label distribution.
    """

    boxes: Tensor
    log_density: Tensor
    log_target_density: Tensor


def draw_proposals(
    boxes: Tensor,
    count: int,
    sigmas: tuple[float, float],
    target_sigma: float,
    generator: torch.Generator | None = None,
) -> Proposals:
    """Draw boxes from a mixture of two Gaussians centerd on each target.

    Coordinates are relative: center offset over target size, log size over target size.

    Args:
        boxes: B x 4, (x, y, w, h) in crop pixels.
        count: proposals a target.
        sigmas: standard deviations of the two equal components.
        target_sigma: standard deviation of the label distribution.
        generator: source of randomness.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, section 4.2; Gustafsson et al., BMVC 2020.
    """
    b = boxes.shape[0]
    narrow = torch.rand(b, count, 1, generator=generator) < 0.5
    sigma = torch.where(narrow, sigmas[0], sigmas[1])
    relative = (torch.randn(b, count, 4, generator=generator) * sigma).to(boxes)
    size = boxes[:, None, 2:]
    centers = boxes[:, None, :2] + size / 2 + relative[..., :2] * size
    sizes = size * relative[..., 2:].exp()
    components = torch.stack([_log_gaussian(relative, s) for s in sigmas])
    return Proposals(
        torch.cat([centers - sizes / 2, sizes], -1),
        components.logsumexp(0) - math.log(2),
        _log_gaussian(relative, target_sigma),
    )


def _log_gaussian(relative: Tensor, sigma: float) -> Tensor:
    """Log density of an isotropic Gaussian over the last axis."""
    dimensions = relative.shape[-1]
    normalizer = dimensions * math.log(sigma * math.sqrt(2 * math.pi))
    return -0.5 * (relative / sigma).square().sum(-1) - normalizer
