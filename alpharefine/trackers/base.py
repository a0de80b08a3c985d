"""What trackers took from here in the first release; `alpharefine` itself has these names now."""

from alpharefine import types
from alpharefine.types import Box, Image, Mask, Tracker

__all__ = ["Box", "Estimate", "Image", "Mask", "Tracker"]


def Estimate(box: Box, mask: Mask | None = None, score: float = 1.0) -> types.Estimate:  # noqa: N802
    """An answer with its confidence under the former name, `score`.

    Args:
        box: target box in image pixels.
        mask: target mask of the full image, or None.
        score: confidence, clipped to 0..1.
    """
    return types.Estimate(box, mask, score)
