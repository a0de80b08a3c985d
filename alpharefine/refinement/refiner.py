"""Alpha-Refine as a tool for any tracker: reference once, then box in, box and mask out."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.geometry.refine_crop import (
    CropWindow,
    crop_window,
    cut_crop,
    mask_to_image,
    reference_box,
    to_image,
    to_image_official,
)
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.refine.network import RefineNetwork, RefineOutput
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.refinement.config import RefinerConfig
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.types import Box, Image, Mask


class Fallback(StrEnum):
    """What of a frame's refinement gave no usable numbers."""

    BOX = "refined boxes that are inverted, tiny or not finite"
    MASK = "masks that are not finite"
    CROP = "boxes too large to be refined"


@dataclass(frozen=True)
class Refinement:
    """Refined target of one frame; None for what was not asked for.

    Attributes:
        window: where the search crop of side S was cut.
        box: image px; None also where the predicted corners are inverted, nearly coincide or are
            not finite (unless `unguarded_corners`).
        mask: of the full image; None also where the network's answer is not finite.
        probability: S x S float32, probability of the target in the crop; None where `mask` is.
        fallbacks: what was asked for and is None.
    """

    window: CropWindow
    box: Box | None
    mask: Mask | None
    probability: NDArray[np.float32] | None
    fallbacks: frozenset[str] = frozenset()


class Refiner:
    """Refines another tracker's boxes.

    Args:
        network: with loaded weights, prepared by `runtime`.
        runtime: device and precision of the network.
        config: how crops are cut and answers are read.
        input_spec: what the network expects of its crops.

    Example:
        >>> import numpy as np
        >>> from alpharefine.nets.registry import build_network
        >>> from alpharefine.runtime import resolve_runtime
        >>> runtime = resolve_runtime("cpu")
        >>> refiner = Refiner(runtime.prepare(build_network("ar_c21_r18")), runtime)
        >>> image = np.zeros((120, 160, 3), np.uint8)
        >>> refiner.initialize(image, Box(60, 40, 30, 20))
        >>> refiner.refine(image, Box(62, 41, 30, 20), {"mask"}).mask.shape
        (120, 160)
    """

    def __init__(
        self,
        network: RefineNetwork,
        runtime: Runtime,
        config: RefinerConfig = RefinerConfig(),
        input_spec: InputSpec = IMAGENET,
    ) -> None:
        self.config = config
        self.network = network
        self._runtime = runtime
        self._input = CropInput(input_spec, runtime.device, runtime.dtype)
        self._first: Tensor | None = None
        self._kernel: Tensor | None = None

    @property
    def outputs(self) -> frozenset[str]:
        """What the network can answer: "box", "mask" or both."""
        return self.network.config.outputs

    @property
    def kernel(self) -> Tensor:
        """Reference features of the target, 1 x C x P x P.

        Raises:
            RuntimeError: before `initialize`.
        """
        if self._kernel is None:
            raise RuntimeError("initialize the refiner before it refines")
        return self._kernel

    @torch.inference_mode()
    def initialize(self, image: Image, box: Box) -> None:
        """Remember the target; may be called again at any time.

        Args:
            image: H x W x 3 uint8 RGB.
            box: the target, image px.

        Raises:
            UsageError: no crop can be cut around the box.
        """
        self._first = self._kernel = self._reference_kernel(image, box)

    @torch.inference_mode()
    def renew(self, image: Image, box: Box) -> bool:
        """Mix the target as it looks now into the first frame's reference.

        The mixture has `RefinerConfig.reference_share` of the newest reference and replaces the
        last one.

        Args:
            image: H x W x 3 uint8 RGB.
            box: the target, image px.

        Returns:
            False where the newest reference is not finite; the last one is kept then.

        Raises:
            UsageError: no crop can be cut around the box.
            RuntimeError: before `initialize`.
        """
        newest = self._reference_kernel(image, box)
        if self._first is None:
            raise RuntimeError("initialize the refiner before its reference is renewed")
        if not newest.isfinite().all():
            return False
        self._kernel = self._first.to(newest).lerp(newest, self.config.reference_share)
        return True

    def snapshot(self) -> tuple[Tensor, Tensor]:
        """The first and the present reference, for `resume`.

        Raises:
            RuntimeError: before `initialize`.
        """
        if self._first is None:
            raise RuntimeError("initialize the refiner before its state is taken")
        return self._first, self.kernel

    def resume(self, snapshot: tuple[Tensor, Tensor]) -> None:
        """Go on from a snapshot of this refiner or of one with the same network elsewhere."""
        runtime = self._runtime
        self._first, self._kernel = (part.to(runtime.device, runtime.dtype) for part in snapshot)

    def _reference_kernel(self, image: Image, box: Box) -> Tensor:
        window = self._window(box)
        corners = torch.tensor([reference_box(window)], device=self._runtime.device)
        return self._reference(self._crop(image, window), corners)

    @torch.inference_mode()
    def refine(self, image: Image, box: Box, outputs: Collection[str] | None = None) -> Refinement:
        """Refine one box, in one pass of the backbone whatever is asked for.

        Args:
            image: H x W x 3 uint8 RGB.
            box: rough position of the target, image px.
            outputs: "box", "mask" or both; None is all that the network has.

        Raises:
            UsageError: no crop can be cut around the box, or the network has not such an output.
            RuntimeError: before `initialize`.
        """
        window, crop = self.cut(image, box)
        return self.read(self._search(crop, outputs), window, image)

    def cut(self, image: Image, box: Box) -> tuple[CropWindow, Tensor]:
        """The search crop around a box, 1 x 3 x S x S, and where it was cut; see `refine`."""
        window = self._window(box)
        return window, self._crop(image, window)

    def read(self, answer: RefineOutput, window: CropWindow, image: Image) -> Refinement:
        """What the network's answer for one crop says of the image."""
        corners, logits = answer.trusted_corners, answer.mask_logits
        fallbacks: set[str] = set()
        refined = None if corners is None else self._box(corners, window)
        if corners is not None and refined is None:
            fallbacks.add(Fallback.BOX)
        probability = None if logits is None else _probability(logits)
        if logits is not None and probability is None:
            fallbacks.add(Fallback.MASK)
        mask = None
        if probability is not None:
            trusted = corners if refined is not None else None
            mask = self._mask(self._restored(probability, trusted), window, image)
        return Refinement(window, refined, mask, probability, frozenset(fallbacks))

    def _window(self, box: Box) -> CropWindow:
        return crop_window(box, self.network.config.input_size, self.config.search_factor)

    @stage("refinement crop")
    def _crop(self, image: Image, window: CropWindow) -> Tensor:
        crop = cut_crop(image, window, self.config.official.padded_border)
        return self._input(crop[None])

    @stage("reference")
    def _reference(self, crop: Tensor, corners: Tensor) -> Tensor:
        return self.network.reference(crop, corners)

    @stage("refinement network")
    def _search(self, crop: Tensor, outputs: Collection[str] | None) -> RefineOutput:
        return self.network.search(crop, self.kernel, outputs)

    def _restored(
        self, probability: NDArray[np.float32], corners: Tensor | None
    ) -> NDArray[np.float32]:
        """The probability, or another one where the mask has missed the target.

        An object that has turned another side to the camera is often still found by its corners.
        """
        config, size = self.config, probability.shape[0]
        if corners is None or config.least_fill == 0:
            return probability
        x1, y1, x2, y2 = corners[0].round().clamp(0, size).int().tolist()
        inside = probability[y1:y2, x1:x2]
        if np.count_nonzero(inside > config.mask_threshold) >= config.least_fill * inside.size:
            return probability
        rank = int((1 - config.restored_fill) * inside.size)
        restored = np.zeros_like(probability)
        restored[y1:y2, x1:x2] = inside >= np.partition(inside, rank, None)[rank]
        return restored

    @stage("mask")
    def _mask(self, probability: NDArray[np.float32], window: CropWindow, image: Image) -> Mask:
        height, width = image.shape[:2]
        return mask_to_image(probability, window, height, width, self.config.mask_threshold)

    def _box(self, corners: Tensor, window: CropWindow) -> Box | None:
        x1, y1, x2, y2 = corners[0].tolist()
        official = self.config.official
        back = to_image_official if official.unrounded_back_projection else to_image
        box = back((x1, y1, x2, y2), window)
        is_usable = box.is_valid and min(box.w, box.h) >= self.config.min_side
        return box if is_usable or official.unguarded_corners else None


def _probability(logits: Tensor) -> NDArray[np.float32] | None:
    """S x S probabilities of 1 x 1 x S x S logits; None if one is not a number."""
    probability: NDArray[np.float32] = logits[0, 0].float().sigmoid().cpu().numpy()
    return probability if math.isfinite(probability.sum()) else None
