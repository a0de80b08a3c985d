"""Boxes near and around targets, and which of them are the target."""

from dataclasses import dataclass

import torch
from torch import Tensor

from alpharefine.training.tasks.dimp.proposals import box_overlap
from alpharefine.training.tasks.rtmdnet.config import RtMdNetLossConfig

_NEAR = (0.1, 0.18, 0.0)
_AROUND = (1.0, 0.69, 0.1)
"""Reach of the shift in sides, of the size's logarithm, and of the aspect ratio's."""


@dataclass(frozen=True)
class DrawnBoxes:
    """Boxes of one frame a row.

    Attributes:
        boxes: M x K x 4, (x, y, w, h) in crop px.
        overlap: with the target, M x K.
        positive: which are the target.
        negative: which are background; the others are neither.
    """

    boxes: Tensor
    overlap: Tensor
    positive: Tensor
    negative: Tensor


def draw_around(
    targets: Tensor, config: RtMdNetLossConfig, generator: torch.Generator | None = None
) -> DrawnBoxes:
    """Draw boxes, those near the target first.

    Args:
        targets: M x 4, (x, y, w, h) in crop px.
        config: how many, and from which overlap on they are what.
        generator: of random numbers; None: torch's own.
    """
    near = _draw(targets, config.positives, _NEAR, generator)
    around = _draw(targets, config.negatives, _AROUND, generator)
    boxes = torch.cat([near, around], 1)
    overlap = box_overlap(boxes, targets[:, None])
    return DrawnBoxes(
        boxes, overlap, overlap >= config.positive_iou, overlap <= config.negative_iou
    )


def _draw(
    targets: Tensor,
    count: int,
    reach: tuple[float, float, float],
    generator: torch.Generator | None,
) -> Tensor:
    random = torch.rand(len(targets), count, 4, generator=generator).to(targets) * 2 - 1
    shift, growth, lean = reach
    aspect = random[..., 3:] * lean
    logarithms = random[..., 2:3] * growth + torch.cat([aspect, -aspect], -1)
    size = targets[:, None, 2:]
    center = targets[:, None, :2] + size / 2 + random[..., :2] * shift * size
    sides = size * logarithms.exp()
    return torch.cat([center - sides / 2, sides], -1)
