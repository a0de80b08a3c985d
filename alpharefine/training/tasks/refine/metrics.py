"""Validation of a refinement network: how much better it is than the box it was given."""

import numpy as np
import torch
from torch import Tensor

from alpharefine.nets.refine.branches import mask_boxes
from alpharefine.training.interface import Batch
from alpharefine.training.metrics import Row

_THRESHOLDS = np.arange(0.2, 0.81, 0.05)


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of corresponding boxes, N x 4 corners each -> N."""
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    inter = (high - low).clamp(min=0).prod(1)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).clamp(min=0).prod(1) for x in (a, b))
    return inter / (area_a + area_b - inter).clamp(min=1e-9)


def mask_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of corresponding boolean masks, N x 1 x S x S each -> N."""
    inter = (a & b).sum((1, 2, 3)).float()
    return inter / (a | b).sum((1, 2, 3)).clamp(min=1)


class RefineScores:
    """Collects IoUs over batches.

    `read` gives, by name: `input_iou`, the IoU of the box that the search crop was made of;
    `box_iou`, of the corner head; `mask_iou`, of the mask at its best threshold, `threshold`;
    `mask_iou_50`, at 0.5; `mask_box_iou`, of the box around that mask; `score`, the mean of
    `box_iou` and `mask_iou`, of those that there are.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[Tensor]] = {}

    def add(self, batch: Batch, corners: Tensor | None, logits: Tensor | None) -> None:
        """Add the predictions of a batch; shapes as in `RefineTrainingModule`."""
        truth = batch["corners"]
        size = batch["mask"].shape[-1]
        given = truth.new_tensor([size / 4, size / 4, size * 3 / 4, size * 3 / 4])
        self._append("input_iou", box_iou(given.expand_as(truth), truth))
        if corners is not None:
            self._append("box_iou", box_iou(corners, truth))
        known = batch["has_mask"] > 0
        if logits is not None and bool(known.any()):
            self._add_masks(logits[known].sigmoid(), batch["mask"][known] > 0, truth[known])

    def _add_masks(self, probability: Tensor, masks: Tensor, truth: Tensor) -> None:
        curve = [mask_iou(probability > t, masks) for t in _THRESHOLDS.tolist()]
        self._append("curve", torch.stack(curve, 1))
        self._append("mask_box_iou", box_iou(mask_boxes(probability[:, 0] > 0.5), truth))

    def _append(self, name: str, values: Tensor) -> None:
        self._values.setdefault(name, []).append(values.float().cpu())

    def read(self) -> Row:
        """Means over all samples."""
        joined = {name: torch.cat(values) for name, values in self._values.items()}
        curve = joined.pop("curve", None)
        row = {name: float(values.mean()) for name, values in joined.items()}
        if curve is not None:
            means = curve.mean(0)
            best = int(means.argmax())
            row["mask_iou"], row["threshold"] = float(means[best]), float(_THRESHOLDS[best])
            row["mask_iou_50"] = float(means[int(np.abs(_THRESHOLDS - 0.5).argmin())])
        parts = [row[name] for name in ("box_iou", "mask_iou") if name in row]
        return {**row, "score": sum(parts) / len(parts)}
