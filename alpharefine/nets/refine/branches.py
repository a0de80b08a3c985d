"""Choosing between three boxes: predicted directly, from corners, and around the mask.

Source: Yan et al., "Alpha-Refine" (arXiv 2007.02024): the authors' earlier version has the three
branches and learns which to trust. The chooser's layers are this project's own.
"""

import torch
from torch import Tensor, nn

BRANCHES = ("direct", "corner", "mask")
_MASK_PROBABILITY = 0.5


class BranchSelector(nn.Module):
    """Scores the branches from the fused features.

    Args:
        channels: of the fused features, and of the hidden layer.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, len(BRANCHES))
        )

    def forward(self, fused: Tensor) -> Tensor:
        """N x C x H x W -> N x 3 logits, in the order of `BRANCHES`."""
        logits: Tensor = self.layers(fused.mean((2, 3)))
        return logits


def mask_boxes(masks: Tensor) -> Tensor:
    """Tight boxes of boolean masks, N x H x W -> N x 4 float32 (x1, y1, x2, y2); zeros if empty."""
    sides = []
    for axis in (1, 2):
        line = masks.any(axis)
        length = line.shape[1]
        ahead = torch.arange(length, device=masks.device)
        first = torch.where(line, ahead, length).amin(1)
        last = torch.where(line, ahead + 1, 0).amax(1)
        sides.append((torch.where(line.any(1), first, 0), last))
    (x1, x2), (y1, y2) = sides
    return torch.stack([x1, y1, x2, y2], 1).float()


def branch_boxes(direct: Tensor, corners: Tensor, mask_logits: Tensor | None) -> Tensor:
    """Boxes of the branches, N x 2 x 4, or N x 3 x 4 where there is a mask (N x 1 x S x S)."""
    boxes = [direct, corners]
    if mask_logits is not None:
        boxes.append(mask_boxes(mask_logits[:, 0].sigmoid() > _MASK_PROBABILITY))
    return torch.stack(boxes, 1)


def trusted_box(
    branch_logits: Tensor, direct: Tensor, corners: Tensor, mask_logits: Tensor | None
) -> Tensor:
    """Box of the branch with the highest score, N x 4; the mask's only where there is a mask."""
    boxes = branch_boxes(direct, corners, mask_logits)
    chosen = branch_logits[:, : boxes.shape[1]].argmax(1)
    return boxes[torch.arange(len(boxes), device=boxes.device), chosen]
