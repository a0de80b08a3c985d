"""Masks of several objects that do not overlap: the surer one keeps a pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from alpharefine.refinement.refiner import Refinement
from alpharefine.types import Estimate

Pixels = tuple[NDArray[Any], NDArray[Any]]
"""Rows and columns of N pixels."""


@dataclass(frozen=True)
class Claim:
    """What an object says of its pixels.

    Attributes:
        estimate: with a mask, or without.
        refinement: where its mask comes from; None where the tracker has none.
    """

    estimate: Estimate
    refinement: Refinement | None

    def certainty(self, pixels: Pixels) -> NDArray[np.float32]:
        """How sure it is of pixels, N float32, 0..1: their probability, else its confidence."""
        refinement = self.refinement
        if refinement is None or refinement.probability is None:
            return np.full(len(pixels[0]), self.estimate.confidence, np.float32)
        window = refinement.window
        scale_x, scale_y = window.scale
        x = (pixels[1] + 0.5 - window.left) * scale_x - 0.5
        y = (pixels[0] + 0.5 - window.top) * scale_y - 0.5
        # As one row, which OpenCV limits to 32767 columns.
        parts = [
            cv2.remap(
                refinement.probability,
                np.asarray(x[None, i : i + _ROW], np.float32),
                np.asarray(y[None, i : i + _ROW], np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )[0]
            for i in range(0, len(x), _ROW)
        ]
        return np.asarray(np.concatenate(parts), np.float32)


_ROW = 30_000


def without_overlap(claims: Sequence[Claim]) -> list[Estimate]:
    """Estimates whose masks have no pixel in common; of equally sure ones the first keeps it.

    Absent objects claim nothing. Boxes stay as they are.
    """
    estimates = [claim.estimate for claim in claims]
    masked = [i for i, e in enumerate(estimates) if e.mask is not None and not e.absent]
    if len(masked) < 2:
        return estimates
    count = np.zeros(_mask(estimates[masked[0]]).shape, np.uint8)
    for i in masked:
        count += _mask(estimates[i])
    rows, columns = np.nonzero(count > 1)
    pixels: Pixels = (rows, columns)
    if not len(pixels[0]):
        return estimates
    sure = np.stack(
        [
            np.where(_mask(estimates[i])[pixels] > 0, claims[i].certainty(pixels), -1.0)
            for i in masked
        ]
    )
    winner = sure.argmax(axis=0)
    for place, i in enumerate(masked):
        mask = _mask(estimates[i]).copy()
        lost = winner != place
        mask[pixels[0][lost], pixels[1][lost]] = 0
        estimates[i] = replace(estimates[i], mask=mask)
    return estimates


def _mask(estimate: Estimate) -> NDArray[np.uint8]:
    assert estimate.mask is not None
    return estimate.mask
