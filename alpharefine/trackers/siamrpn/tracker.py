"""The region-proposal Siamese tracker: SiamRPN++, target-aware SiamRPN++ and SiamRPN+."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.inputs import check_initial_box
from alpharefine.nets.normalization import CropInput
from alpharefine.nets.siamrpn.maps import RpnMaps, RpnNet
from alpharefine.nets.spec import RAW_BGR, InputSpec
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.siamese.context import Color, cut_context, mean_color
from alpharefine.trackers.siamese.proposals import (
    Ranking,
    anchor_boxes,
    decode_boxes,
    hann_window,
    rank_proposals,
)
from alpharefine.trackers.siamese.state import Fallback, TargetState, moved
from alpharefine.trackers.siamrpn.channels import select_channels
from alpharefine.trackers.siamrpn.config import SiamRpnConfig
from alpharefine.types import Box, Estimate, Image


@dataclass(frozen=True)
class SearchTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        context_side: of the target with its context, image px.
        crop_side: of the search crop, image px.
        crop: the search crop, RGB.
        maps: the network's answer.
        scores: A x s x s.
        boxes: 4 x A x s x s, center x, center y, w, h, search px from the crop's center.
        ranking: of the proposals.
        rate: how far the size went to the best proposal's; 0 where there was none.
    """

    context_side: float
    crop_side: int
    crop: Image
    maps: RpnMaps
    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    ranking: Ranking
    rate: float = 0.0


@dataclass(frozen=True)
class SiamRpnSnapshot:
    """The state of a run between two frames; see `SiamRpnTracker` for the parts."""

    state: TargetState
    search_size: int
    fill: Color
    template: Any
    masks: Mapping[str, Tensor]
    fallbacks: frozenset[str]


class SiamRpnTracker:
    """Proposes boxes around the last position and takes the one most like the first frame's target.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the network.
        input_spec: what the network expects of images.

    Sources: Li et al., "SiamRPN" (CVPR 2018) and "SiamRPN++" (CVPR 2019).
    """

    state: TargetState
    trace: SearchTrace
    template: Any
    masks: Mapping[str, Tensor]

    def __init__(
        self,
        network: RpnNet,
        config: SiamRpnConfig,
        runtime: Runtime,
        input_spec: InputSpec = RAW_BGR,
    ) -> None:
        self.config = config
        self.network = network
        self._runtime = runtime
        self._input = CropInput(input_spec, runtime.device, runtime.dtype)
        # The first pass packs weights for its shape: let that be the shape of all frames.
        size = config.context.search_size
        with torch.inference_mode():
            self._extract(np.zeros((size, size, 3), np.uint8))

    @torch.inference_mode()
    def initialize(self, image: Image, target: Box) -> None:
        """Take the template, and with target-aware channels choose them.

        Raises:
            UsageError: the box is empty or not finite.
        """
        check_initial_box(target)
        config, context = self.config, self.config.context
        self._fallbacks: set[str] = set()
        self._fill = mean_color(image)
        self._search_size = context.search_size
        share = target.w * target.h / (image.shape[0] * image.shape[1])
        if config.small_target_search_size is not None and share < config.small_target_share:
            self._search_size = config.small_target_search_size
        self.state = TargetState.around(target, config.initial_shift)
        side = context.round_side(context.side(target.w, target.h))
        features = self._extract(self._crop(image, side, context.template_size))
        self.masks = self._select_channels(image, side)
        self.template = self.network.template(self._masked(features))

    @torch.inference_mode()
    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        trace = self._search(image)
        best, score = trace.ranking.best, 0.0
        if best is None:
            self._fallbacks.add(Fallback.SCORES)
        else:
            score = float(trace.scores[best])
            trace = self._move(trace, best, image)
        self.trace = trace
        fallbacks = frozenset(self._fallbacks)
        self._fallbacks.clear()
        box = self.state.box_from_inside if self.config.answers_inside else self.state.box
        return Estimate(box, confidence=score, lost=best is None, fallbacks=fallbacks)

    def set_state(self, box: Box) -> None:
        """Continue from `box` (image px)."""
        self.state = TargetState.around(box)

    def snapshot(self) -> SiamRpnSnapshot:
        """See `alpharefine.types.ResumableTracker`."""
        return SiamRpnSnapshot(
            self.state,
            self._search_size,
            self._fill,
            self.template,
            self.masks,
            frozenset(self._fallbacks),
        )

    def resume(self, snapshot: SiamRpnSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        self.state = snapshot.state
        self._search_size = snapshot.search_size
        self._fill = snapshot.fill
        self.template = moved(snapshot.template, self._runtime)
        self.masks = moved(snapshot.masks, self._runtime)
        self._fallbacks = set(snapshot.fallbacks)

    @torch.inference_mode()
    def search_pass(self) -> None:
        """See `alpharefine.types.NetworkTracker`."""
        crop = np.zeros((self._search_size, self._search_size, 3), np.uint8)
        self.network.predict(self._masked(self._extract(crop)), self.template)

    def _extract(self, crop: Image) -> Mapping[str, Tensor]:
        return self.network.features(self._input(crop[None]))

    def _masked(self, features: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {
            name: value * self.masks[name] if name in self.masks else value
            for name, value in features.items()
        }

    def _select_channels(self, image: Image, template_side: int) -> dict[str, Tensor]:
        """Stage -> 1 x C x 1 x 1 mask; stages without one keep all channels."""
        config, context = self.config.channels, self.config.context
        if config is None:
            return {}
        side = context.round_side(template_side * self._search_size / context.template_size)
        features = self._extract(self._crop(image, side, self._search_size))
        masks: dict[str, Tensor] = {}
        for level in config.levels:
            mask = select_channels(features[level.stage][0], level, config)
            if mask is None:
                self._fallbacks.add(Fallback.CHANNELS)
            else:
                masks[level.stage] = mask.to(self._runtime.device, self._runtime.dtype)
        return masks

    def _search(self, image: Image) -> SearchTrace:
        config, context, state = self.config, self.config.context, self.state
        context_side = context.side(state.w, state.h)
        crop_side = context.round_side(context_side * self._search_size / context.template_size)
        crop = self._crop(image, crop_side, self._search_size)
        maps, scores, offsets = self._propose(crop)
        boxes = decode_boxes(offsets, anchor_boxes(config.anchors, scores.shape[-1]))
        ranking = self._rank(scores, boxes, context.template_size / context_side)
        return SearchTrace(context_side, crop_side, crop, maps, scores, boxes, ranking)

    @stage("localize")
    def _rank(
        self, scores: NDArray[np.float32], boxes: NDArray[np.float32], scale: float
    ) -> Ranking:
        size = self.state.w * scale, self.state.h * scale
        return rank_proposals(scores, boxes, size, hann_window(scores.shape[-1]), self.config.rank)

    @stage("base crop")
    def _crop(self, image: Image, side: int, size: int) -> Image:
        """`side` image px around the target, `size` px as a crop."""
        return cut_context(image, self.state.center, side, size, self._fill, self.config.context)

    @stage("base network")
    def _propose(self, crop: Image) -> tuple[RpnMaps, NDArray[np.float32], NDArray[np.float32]]:
        features = self._masked(self._extract(crop))
        maps = self.network.predict(features, self.template)
        # One transfer from the device.
        joined = torch.cat([maps.scores[:, None], maps.offsets], 1)[0].cpu().numpy()
        return maps, joined[0], joined[1:]

    def _move(self, trace: SearchTrace, best: tuple[int, ...], image: Image) -> SearchTrace:
        """Take position and part of the size of the best proposal."""
        boxes, scale = trace.boxes, self.config.context.template_size / trace.context_side
        dx, dy, w, h = (float(coordinate[best]) / scale for coordinate in boxes)
        weight = trace.ranking.penalties[best] * trace.scores[best]
        rate = float(weight) * self.config.size_rate
        state = self.state
        self.state = TargetState(
            state.x + dx,
            state.y + dy,
            state.w * (1 - rate) + w * rate,
            state.h * (1 - rate) + h * rate,
        ).clipped(*image.shape[:2])
        return replace(trace, rate=rate)
