"""Box candidates and their ascent on the box regressor's value."""

from dataclasses import dataclass

import torch
from torch import Tensor

from alpharefine.nets.iou.box_values import BoxValues
from alpharefine.trackers.online.config import BoxRefinementConfig


@dataclass(frozen=True)
class RefinedCandidates:
    """Candidates after the ascent: boxes K x 4 (x, y, w, h) in sample px, and their values K."""

    boxes: Tensor
    values: Tensor


def candidate_boxes(box: Tensor, uniform: Tensor, config: BoxRefinementConfig) -> Tensor:
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
    jitter = torch.tensor([config.position_jitter] * 2 + [config.size_jitter] * 2)
    offset = (uniform - 0.5) * (root_area * jitter)
    sizes = torch.maximum(size + offset[:, 2:], size.min() / 3)
    centers = box[:2] + size / 2 + offset[:, :2]
    return torch.cat([box[None], torch.cat([centers - sizes / 2, sizes], 1)])


def ascend(values: BoxValues, boxes: Tensor, config: BoxRefinementConfig) -> RefinedCandidates:
    """Gradient ascent in the configured coordinates.

    Args:
        values: the IoU network's view of one frame.
        boxes: K x 4, (x, y, w, h) in sample px; the first one gives the reference size.
        config: coordinates, number and length of the steps.

    Returns:
        Boxes after the last step with the values before it, as in the official trackers.
    """
    rule = _ascend_relative if config.space == "relative" else _ascend_default
    return rule(values, boxes, config)


def _ascend_relative(
    values: BoxValues, boxes: Tensor, config: BoxRefinementConfig
) -> RefinedCandidates:
    """Center over reference size, log size (PrDiMP)."""
    step, reference = config.step_length, boxes[:1, 2:]
    center, log_size = (boxes[:, :2] + boxes[:, 2:] / 2) / reference, boxes[:, 2:].log()
    value = boxes.new_zeros(boxes.shape[0])
    for _ in range(config.iterations):
        half = log_size.exp() / 2
        middle = center * reference
        value, gradient = values(torch.cat([middle - half, middle + half], 1))
        low, high = gradient[:, :2], gradient[:, 2:]
        center = center + step * (low + high) * reference
        log_size = log_size + step * (high - low) * half
    size = log_size.exp()
    return RefinedCandidates(torch.cat([center * reference - size / 2, size], 1), value)


def _ascend_default(
    values: BoxValues, boxes: Tensor, config: BoxRefinementConfig
) -> RefinedCandidates:
    """Top-left corner and size, each in units of the current box's sides (ATOM, DiMP-50)."""
    value = boxes.new_zeros(boxes.shape[0])
    for _ in range(config.iterations):
        size = boxes[:, 2:]
        value, gradient = values(torch.cat([boxes[:, :2], boxes[:, :2] + size], 1))
        low, high = gradient[:, :2], gradient[:, 2:]
        step = torch.cat([(low + high) * size, high * size], 1)
        boxes = boxes + config.step_length * step
    return RefinedCandidates(boxes, value)


def best_box(
    candidates: RefinedCandidates, config: BoxRefinementConfig, sample_size: int | None
) -> Tensor | None:
    """Mean of the best usable candidates; None if there is none.

    Usable are finite ones of a sane aspect ratio with their center in the sample.

    Args:
        candidates: from `ascend`.
        config: the largest aspect ratio, and how many are averaged.
        sample_size: side of the sample, px; None lets centers lie anywhere, as the official code.
    """
    boxes = torch.cat([candidates.boxes[:, :2], candidates.boxes[:, 2:].clamp_min(1)], 1)
    aspect = boxes[:, 2] / boxes[:, 3]
    limit = config.maximal_aspect_ratio
    kept = (aspect < limit) & (aspect > 1 / limit) & candidates.values.isfinite()
    kept &= boxes.isfinite().all(1)
    if sample_size is not None:
        centers = boxes[:, :2] + boxes[:, 2:] / 2
        kept &= ((centers >= 0) & (centers <= sample_size)).all(1)
    if not kept.any():
        return None
    boxes, values = boxes[kept], candidates.values[kept]
    top = values.topk(min(config.best, values.numel())).indices
    return boxes[top].mean(0)
