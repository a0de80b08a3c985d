"""The SiamFC+ tracker: one score map for each of three scales."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.inputs import check_initial_box
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.siamfc.network import SiamFcNet
from alpharefine.nets.spec import RAW_BGR, InputSpec
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.siamese.context import Color, cut_context, cut_pyramid, mean_color
from alpharefine.trackers.siamese.proposals import hann_window
from alpharefine.trackers.siamese.state import Fallback, TargetState, moved
from alpharefine.trackers.siamfc.config import SiamFcConfig
from alpharefine.types import Box, Estimate, Image

_EXPONENTS = (-1.0, 0.0, 1.0)
"""Of the scale step, of the scales that are searched."""


@dataclass(frozen=True)
class PyramidTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        sides: of the search crops, image px, from the smallest scale to the largest.
        crops: 3 x S x S x 3, RGB.
        scores: 3 x s x s logits.
        blended: ranking of positions at the best scale, upsampled; None where nothing was finite.
        best_scale: 0..2.
        best_position: (row, column) in `blended`.
    """

    sides: tuple[int, ...]
    crops: NDArray[np.uint8]
    scores: NDArray[np.float32]
    blended: NDArray[np.float64] | None = None
    best_scale: int = 1
    best_position: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class SiamFcSnapshot:
    """The state of a run between two frames; see `SiamFcTracker` for the parts."""

    state: TargetState
    search_side: float
    limits: tuple[float, float]
    fill: Color
    kernel: Tensor


class SiamFcTracker:
    """Finds the place and, of three, the scale most like the first frame's target.

    Confidence is the logistic function of the best score, which the published tracker does not
    answer.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network.
        input_spec: what the network expects of images.

    Attributes:
        state: of the target.
        search_side: side of the search region, image px; it follows the size, but for its clips.

    Sources: Bertinetto et al., "SiamFC" (ECCVW 2016); Zhang and Peng (SiamDW), CVPR 2019.
    """

    state: TargetState
    search_side: float
    trace: PyramidTrace
    kernel: Tensor

    def __init__(
        self,
        network: SiamFcNet,
        config: SiamFcConfig,
        runtime: Runtime,
        input_spec: InputSpec = RAW_BGR,
    ) -> None:
        self.config = config
        self.network = network
        self._runtime = runtime
        self._input = CropInput(input_spec, runtime.device, runtime.dtype)
        # The first pass packs weights for its shape: let that be the shape of all frames.
        with torch.inference_mode():
            network.features(self._empty_input())
        self._scales = config.scale_step ** np.array(_EXPONENTS)

    @torch.inference_mode()
    def initialize(self, image: Image, target: Box) -> None:
        """Take the template.

        Raises:
            UsageError: the box is empty or not finite.
        """
        check_initial_box(target)
        config, context = self.config, self.config.context
        self.state = TargetState.around(target)
        self._fill = mean_color(image)
        side = context.round_side(context.side(target.w, target.h))
        crop = cut_context(
            image, self.state.center, side, context.template_size, self._fill, context
        )
        self.kernel = self.network.template(self.network.features(self._input(crop[None])))
        self.search_side = side * context.search_size / context.template_size
        self._limits = (
            config.least_scale * self.search_side,
            config.largest_scale * self.search_side,
        )

    @torch.inference_mode()
    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        trace = self._search(image)
        upsampled = self._upsampled(trace.scores)
        if not np.isfinite(upsampled).all():
            self.trace = trace
            fallbacks = frozenset({Fallback.SCORES})
            return Estimate(
                self.state.box_from_inside, confidence=0.0, lost=True, fallbacks=fallbacks
            )
        self._move(trace, upsampled, image)
        best = float(upsampled[..., self.trace.best_scale].max())
        confidence = (1 + math.tanh(best / 2)) / 2
        return Estimate(self.state.box_from_inside, confidence=confidence)

    def set_state(self, box: Box) -> None:
        """Continue from `box` (image px) with a search region of its size."""
        self.state = TargetState.around(box)
        context = self.config.context
        scale = context.search_size / context.template_size
        self.search_side = self._limited(context.side(box.w, box.h) * scale)

    def snapshot(self) -> SiamFcSnapshot:
        """See `alpharefine.types.ResumableTracker`."""
        return SiamFcSnapshot(self.state, self.search_side, self._limits, self._fill, self.kernel)

    def resume(self, snapshot: SiamFcSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        self.state = snapshot.state
        self.search_side = snapshot.search_side
        self._limits = snapshot.limits
        self._fill = snapshot.fill
        self.kernel = moved(snapshot.kernel, self._runtime)

    @torch.inference_mode()
    def search_pass(self) -> None:
        """See `alpharefine.types.NetworkTracker`."""
        self.network.predict(self.network.features(self._empty_input()), self.kernel)

    def _empty_input(self) -> Tensor:
        size = self.config.context.search_size
        return self._input(np.zeros((len(_EXPONENTS), size, size, 3), np.uint8))

    def _search(self, image: Image) -> PyramidTrace:
        sides, crops = self._crop(image)
        return PyramidTrace(sides, crops, self._scores(crops))

    @stage("base crop")
    def _crop(self, image: Image) -> tuple[tuple[int, ...], NDArray[np.uint8]]:
        sides = [float(side) for side in self.search_side * self._scales]
        return cut_pyramid(image, self.state.center, sides, self._fill, self.config.context)

    @stage("base network")
    def _scores(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        maps = self.network.predict(self.network.features(self._input(crops)), self.kernel)
        scores: NDArray[np.float32] = maps[:, 0].float().cpu().numpy()
        return scores

    @stage("localize")
    def _upsampled(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """3 x s x s -> S x S x 3."""
        side = scores.shape[-1] * self.config.upsampling
        maps = np.ascontiguousarray(scores.transpose(1, 2, 0))
        return np.asarray(cv2.resize(maps, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)

    @stage("localize")
    def _move(self, trace: PyramidTrace, upsampled: NDArray[np.float32], image: Image) -> None:
        config = self.config
        side = len(upsampled)
        penalty = np.array([config.scale_penalty, 1.0, config.scale_penalty])
        scale = int(np.argmax(upsampled.max((0, 1)) * penalty))
        blended = _blend(upsampled[..., scale], config.window_influence)
        row, column = divmod(int(blended.argmax()), side)
        self.trace = PyramidTrace(
            trace.sides, trace.crops, trace.scores, blended, scale, (row, column)
        )
        cell = config.stride / config.upsampling * self.search_side / config.context.search_size
        change = 1 + config.scale_rate * (float(self._scales[scale]) - 1)
        state = self.state
        self.state = TargetState(
            state.x + (column - side / 2) * cell,
            state.y + (row - side / 2) * cell,
            state.w * change,
            state.h * change,
        ).clipped(*image.shape[:2])
        self.search_side = self._limited(self.search_side * change)

    def _limited(self, side: float) -> float:
        least, largest = self._limits
        return min(max(side, least), largest)


def _blend(scores: NDArray[np.float32], influence: float) -> NDArray[np.float64]:
    """Scores, as shares of their sum, mixed with the window, as shares of its own."""
    raised = (scores - scores.min()).astype(np.float64)
    total = raised.sum()
    window = hann_window(len(scores))
    shares = raised / total if total > 0 else raised
    blended: NDArray[np.float64] = (1 - influence) * shares + influence * window / window.sum()
    return blended
