"""Pictures of what Siamese networks answer."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.training.interface import Batch
from alpharefine.training.pictures import PREDICTED, TRUTH, arrange, blend, draw_box

_STRIDE = 8


def prediction_grid(
    batch: Batch, scores: Tensor, boxes: Tensor | None, columns: int = 4
) -> NDArray[np.uint8]:
    """Template, search crop with boxes, and the same with the scores, for every pair of a batch.

    The true box is green, the best box and the scores are red.

    Args:
        batch: as `SiameseCutter` gives it.
        scores: N x s x s, 0..1.
        boxes: N x 4 corners in search px, or None.
        columns: pairs in a row.

    Returns:
        RGB picture.
    """
    tiles = []
    for k in range(len(scores)):
        search = batch["search"][k].cpu().numpy()
        size = len(search)
        template = cv2.resize(batch["template"][k].cpu().numpy(), (size, size))
        marked = search.copy()
        draw_box(marked, batch["box"][k].cpu().numpy(), TRUTH)
        if boxes is not None:
            draw_box(marked, boxes[k].float().cpu().numpy(), PREDICTED)
        heat = blend(search, _spread(scores[k].float().cpu().numpy(), size))
        tiles.append(np.hstack([np.asarray(template, np.uint8), marked, heat]))
    return arrange(tiles, columns)


def _spread(scores: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Scores, at pixels `_STRIDE` apart around the middle, in a crop of `size` px."""
    start = size // 2 - len(scores) // 2 * _STRIDE
    place = np.array([[_STRIDE, 0, start], [0, _STRIDE, start]], np.float64)
    spread = cv2.warpAffine(np.ascontiguousarray(scores), place, (size, size))
    return np.clip(np.asarray(spread, np.float32), 0, 1)
