"""Pictures of a refinement network's predictions."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.training.interface import Batch
from alpharefine.training.pictures import PREDICTED, TRUTH, arrange, blend, draw_box


def prediction_grid(
    batch: Batch, corners: Tensor | None, logits: Tensor | None, columns: int = 4
) -> NDArray[np.uint8]:
    """Reference, search with boxes, and search with the mask, for every pair of a batch.

    True box and mask outline are green, predicted box and mask are red.

    Args:
        batch: as `RefineTrainingModule` takes it.
        corners: N x 4 or None.
        logits: N x 1 x S x S or None.
        columns: pairs in a row.

    Returns:
        RGB picture.
    """
    tiles = [
        _tile(
            batch["reference"][i].cpu().numpy(),
            batch["search"][i].cpu().numpy(),
            batch["corners"][i].cpu().numpy(),
            batch["mask"][i, 0].cpu().numpy(),
            None if corners is None else corners[i].float().cpu().numpy(),
            None if logits is None else logits[i, 0].float().sigmoid().cpu().numpy(),
        )
        for i in range(len(batch["search"]))
    ]
    return arrange(tiles, columns)


def _tile(
    reference: NDArray[np.uint8],
    search: NDArray[np.uint8],
    truth: NDArray[np.float32],
    mask: NDArray[np.uint8],
    corners: NDArray[np.float32] | None,
    probability: NDArray[np.float32] | None,
) -> NDArray[np.uint8]:
    boxes = search.copy()
    draw_box(boxes, truth, TRUTH)
    if corners is not None:
        draw_box(boxes, corners, PREDICTED)
    overlay = search.copy() if probability is None else blend(search, probability)
    outline, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(overlay, outline, -1, TRUTH, 1)
    return np.hstack([reference, boxes, overlay])
