"""Box candidates and their ascent on the box regressor's value."""

from dataclasses import dataclass

import torch
from torch import Tensor

from alpharefine.nets.dimp.box_values import BoxValues
from alpharefine.trackers.dimp.config import DimpConfig


@dataclass(frozen=True)
class RefinedCandidates:
    """Candidates after the ascent: boxes K x 4 (x, y, w, h) in sample px, and their values K."""

    boxes: Tensor
    values: Tensor


def candidate_boxes(box: Tensor, uniform: Tensor, config: DimpConfig) -> Tensor:
    """The predicted box and random ones around it.

    Args:
        box: (x, y, w, h), sample px.
        uniform: K x 4 in [0, 1).
        config: jitter.

    Returns:
        (1 + K) x 4.
    """
    size = box[2:]
    root_area = size.prod().sqrt()
    jitter = torch.tensor([config.box_jitter_pos] * 2 + [config.box_jitter_sz] * 2)
    offset = (uniform - 0.5) * (root_area * jitter)
    sizes = torch.maximum(size + offset[:, 2:], size.min() / 3)
    centers = box[:2] + size / 2 + offset[:, :2]
    return torch.cat([box[None], torch.cat([centers - sizes / 2, sizes], 1)])


def ascend(values: BoxValues, boxes: Tensor, iterations: int, step: float) -> RefinedCandidates:
    """Gradient ascent in relative coordinates (centre over reference size, log size).

    Args:
        values: the box regressor's view of one frame.
        boxes: K x 4, (x, y, w, h) in sample px; the first one gives the reference size.
        iterations: number of steps.
        step: step length.

    Returns:
        Boxes after the last step with the values before it, as in the official tracker.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, `box_refinement_space = relative`.
    """
    reference = boxes[:1, 2:]
    center, log_size = (boxes[:, :2] + boxes[:, 2:] / 2) / reference, boxes[:, 2:].log()
    value = boxes.new_zeros(boxes.shape[0])
    for _ in range(iterations):
        half = log_size.exp() / 2
        middle = center * reference
        value, gradient = values(torch.cat([middle - half, middle + half], 1))
        low, high = gradient[:, :2], gradient[:, 2:]
        center = center + step * (low + high) * reference
        log_size = log_size + step * (high - low) * half
    size = log_size.exp()
    return RefinedCandidates(torch.cat([center * reference - size / 2, size], 1), value)


def best_box(candidates: RefinedCandidates, config: DimpConfig) -> Tensor | None:
    """Mean of the best usable candidates; None if there is none.

    Usable are finite ones of a sane aspect ratio with their centre in the sample (anywhere with
    the oddity `unbounded_scale`).
    """
    boxes = torch.cat([candidates.boxes[:, :2], candidates.boxes[:, 2:].clamp_min(1)], 1)
    aspect = boxes[:, 2] / boxes[:, 3]
    limit = config.maximal_aspect_ratio
    kept = (aspect < limit) & (aspect > 1 / limit) & candidates.values.isfinite()
    kept &= boxes.isfinite().all(1)
    if not config.oddities.unbounded_scale:
        centers = boxes[:, :2] + boxes[:, 2:] / 2
        kept &= ((centers >= 0) & (centers <= config.image_sample_size)).all(1)
    if not kept.any():
        return None
    boxes, values = boxes[kept], candidates.values[kept]
    top = values.topk(min(config.iounet_k, values.numel())).indices
    return boxes[top].mean(0)
