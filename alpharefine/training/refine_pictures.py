"""Pictures of a refinement network's predictions."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.training.engine import Batch

_TRUTH, _PREDICTED = (0, 255, 0), (255, 40, 40)


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
    blank = np.zeros_like(tiles[0])
    tiles += [blank] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def _tile(
    reference: NDArray[np.uint8],
    search: NDArray[np.uint8],
    truth: NDArray[np.float32],
    mask: NDArray[np.uint8],
    corners: NDArray[np.float32] | None,
    probability: NDArray[np.float32] | None,
) -> NDArray[np.uint8]:
    boxes, overlay = search.copy(), search.copy()
    _rectangle(boxes, truth, _TRUTH)
    if corners is not None:
        _rectangle(boxes, corners, _PREDICTED)
    if probability is not None:
        share = (0.6 * probability)[..., None]
        overlay = (overlay * (1 - share) + share * np.array(_PREDICTED)).astype(np.uint8)
    outline, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(overlay, outline, -1, _TRUTH, 1)
    tile = np.hstack([reference, boxes, overlay])
    half = cv2.resize(tile, (tile.shape[1] // 2, tile.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(half, dtype=np.uint8)


def _rectangle(
    image: NDArray[np.uint8], corners: NDArray[np.float32], colour: tuple[int, int, int]
) -> None:
    x1, y1, x2, y2 = (int(v) for v in np.clip(corners, -4096, 4096).round())
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, 1)
