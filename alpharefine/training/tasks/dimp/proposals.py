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
    components = torch.stack([_log_gaussian(relative, s) for s in sigmas])
    return Proposals(
        _moved(boxes[:, None], relative),
        components.logsumexp(0) - math.log(2),
        _log_gaussian(relative, target_sigma),
    )


@dataclass(frozen=True)
class OverlappingBoxes:
    """Boxes that overlap targets.

    Attributes:
        boxes: B x K x 4, (x, y, w, h) in crop pixels.
        overlap: with the target (IoU), B x K.
    """

    boxes: Tensor
    overlap: Tensor


_ATTEMPTS = 10


def draw_overlapping(
    boxes: Tensor,
    count: int,
    sigmas: tuple[float, ...],
    least: float,
    generator: torch.Generator | None = None,
) -> OverlappingBoxes:
    """Draw boxes around targets, each with one of some standard deviations.

    Args:
        boxes: B x 4, (x, y, w, h) in crop pixels.
        count: boxes a target.
        sigmas: in relative coordinates, as of `draw_proposals`.
        least: overlap; what has none after ten draws is the target itself.
        generator: source of randomness.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 3.1.
    """
    target = boxes[:, None].expand(-1, count, -1)
    found, overlap = target, box_overlap(target, target)
    missing = torch.ones_like(overlap, dtype=torch.bool)
    choices = torch.tensor(sigmas)
    for _ in range(_ATTEMPTS):
        chosen = choices[torch.randint(len(sigmas), overlap.shape, generator=generator)]
        noise = torch.randn(*overlap.shape, 4, generator=generator)
        drawn = _moved(target, (noise * chosen[..., None]).to(boxes))
        iou = box_overlap(drawn, target)
        taken = missing & (iou >= least)
        found = torch.where(taken[..., None], drawn, found)
        overlap = torch.where(taken, iou, overlap)
        missing = missing & ~taken
    return OverlappingBoxes(found, overlap)


def box_overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of (x, y, w, h): ... x 4 and what broadcasts to it -> ..."""
    low = torch.maximum(boxes[..., :2], others[..., :2])
    high = torch.minimum(boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:])
    shared = (high - low).clamp_min(0).prod(-1)
    return shared / (boxes[..., 2:].prod(-1) + others[..., 2:].prod(-1) - shared)


def _moved(boxes: Tensor, relative: Tensor) -> Tensor:
    """Boxes whose centers and sizes are changed in relative coordinates."""
    size = boxes[..., 2:]
    centers = boxes[..., :2] + size / 2 + relative[..., :2] * size
    sizes = size * relative[..., 2:].exp()
    return torch.cat([centers - sizes / 2, sizes], -1)


def _log_gaussian(relative: Tensor, sigma: float) -> Tensor:
    """Log density of an isotropic Gaussian over the last axis."""
    dimensions = relative.shape[-1]
    normalizer = dimensions * math.log(sigma * math.sqrt(2 * math.pi))
    return -0.5 * (relative / sigma).square().sum(-1) - normalizer
