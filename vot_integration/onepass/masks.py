"""Masks of a sequence, kept where the tracker makes them."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from alpharefine.types import Image
from vot_integration.regions.shapes import MaskCrop
from vot_integration.track.follower import Answer
from vot_integration.track.outputs import MaskFolder


class MadeMasks:
    """A `MaskFolder` that is made with the first mask: a tracker that answers boxes has none.

    What a tracker of the user's own answers is not known before it has answered.

    Args:
        folder: must not be there; folders around it are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._masks: MaskFolder | None = None
        self._waiting: list[tuple[Image, Sequence[Answer]]] = []

    def __enter__(self) -> Self:
        return self

    def write(self, image: Image, answers: Sequence[Answer]) -> None:
        """See `vot_integration.track.outputs.Sink`."""
        if self._masks is None and any(isinstance(each.shape, MaskCrop) for each in answers):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            self._masks = MaskFolder(self._folder).__enter__()
            for earlier in self._waiting:
                self._masks.write(*earlier)
        if self._masks is None:
            # Of an image its size alone is needed, and no pixel is kept.
            self._waiting.append((np.broadcast_to(np.uint8(0), image.shape), answers))
        else:
            self._masks.write(image, answers)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._masks is not None:
            self._masks.__exit__(kind, error, traceback)
