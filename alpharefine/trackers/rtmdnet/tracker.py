"""The RT-MDNet tracker."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.inputs import check_initial_box
from alpharefine.nets.mdnet.network import MdNet
from alpharefine.nets.normalization import Normalization
from alpharefine.nets.spec import MIDDLE_RGB, InputSpec
from alpharefine.ops.roi_sampling import adaptive_roi
from alpharefine.runtime import Runtime
from alpharefine.stage_timer import stage
from alpharefine.trackers.rtmdnet.classifier import Classifier, Trainer, first_branch
from alpharefine.trackers.rtmdnet.config import RtMdNetConfig
from alpharefine.trackers.rtmdnet.first_frame import FirstFrame, first_frame_samples
from alpharefine.trackers.rtmdnet.regression import BoxRegression, fit_regression
from alpharefine.trackers.rtmdnet.samples import Boxes, SampleDraws, draw_boxes
from alpharefine.trackers.rtmdnet.scene import Scene, scene_box, scene_of
from alpharefine.types import Box, Estimate, Image


class Fallback(StrEnum):
    """What of a frame gave no usable numbers, so that the last state was kept."""

    SCORES = "candidates' scores that are not finite"
    TRAINING = "classifier trainings that are not finite"


@dataclass(frozen=True)
class FrameTrace:
    """What happened in the last frame, for tests and for looking at it.

    Attributes:
        candidates: boxes.
        scene: in which they were judged.
        features: of them.
        scores: of background and target, N x 2.
        best: the candidates whose mean is the target.
        moved: the same after box regression; None where the target was not found.
        learned: numbers of samples learned of the frame, of the target and of what is around it.
        trained: numbers of rows given to a training; None if there was none.
    """

    candidates: Boxes
    scene: Scene
    features: Tensor
    scores: Tensor
    best: Boxes | None = None
    moved: NDArray[np.float64] | None = None
    learned: tuple[int, int] = (0, 0)
    trained: tuple[int, int] | None = None


@dataclass(frozen=True)
class Memory:
    """Features of earlier frames, a tensor a frame.

    Attributes:
        positive: of the target.
        negative: of what is around it.
    """

    positive: tuple[Tensor, ...] = field(default=())
    negative: tuple[Tensor, ...] = field(default=())

    def to(self, device: torch.device) -> "Memory":
        """The same on a device."""
        return Memory(
            tuple(entry.to(device) for entry in self.positive),
            tuple(entry.to(device) for entry in self.negative),
        )


@dataclass(frozen=True)
class RtMdNetSnapshot:
    """The state of a run between two frames; see `RtMdNetTracker` for the parts."""

    frame: int
    target: NDArray[Any]
    shift: float
    classifier: Classifier
    velocities: tuple[Tensor, ...] | None
    regression: BoxRegression | None
    memory: Memory
    fallbacks: frozenset[str]
    draws: Any


class RtMdNetTracker:
    """RT-MDNet: candidates around the last box are classified; the classifier goes on learning.

    Confidence is the logistic function of the target's score, which is above 0.5 where it counts as
    found.

    Args:
        network: with loaded weights, prepared by `runtime`.
        config: hyper-parameters.
        runtime: device and precision of the convolutions; the classifier is always float32.
        input_spec: what the network expects of scenes.

    Attributes:
        target: (x, y, w, h) of the box around which candidates are drawn.
        draws: all randomness.
        branch: weight and bias of each video's own layer before its training.

    Source: Jung et al. (RT-MDNet), ECCV 2018.
    """

    target: NDArray[Any]
    trace: FrameTrace
    classifier: Classifier
    regression: BoxRegression | None
    memory: Memory
    draws: SampleDraws

    def __init__(
        self,
        network: MdNet,
        config: RtMdNetConfig,
        runtime: Runtime,
        input_spec: InputSpec = MIDDLE_RGB,
    ) -> None:
        self.config = config
        self._network = network
        self._runtime = runtime
        self._normalization = Normalization(input_spec).to(runtime.device)
        self.branch = first_branch(network.config.hidden, config.seed)

    @torch.inference_mode()
    def initialize(self, image: Image, target: Box) -> None:
        """Learn the target from the first frame.

        Raises:
            UsageError: the box is empty or not finite.
        """
        check_initial_box(target)
        config, device = self.config, self._runtime.device
        self.draws = SampleDraws(config.seed)
        self._frame = 0
        self._fallbacks: set[str] = set()
        self.target = np.array(target)
        self._shift = config.search.shift
        layers = [*self._network.hidden_layers]
        shared = [p.float() for layer in layers for p in (layer.weight, layer.bias)]
        self.classifier = Classifier((*shared, *(p.to(device) for p in self.branch)))
        self._trainer = Trainer(config.update, self.draws)
        self._learn_target(image)

    @torch.inference_mode()
    def track(self, image: Image) -> Estimate:
        """Find the target in the next frame."""
        self._frame += 1
        pixels, size = self._pixels(image), (image.shape[1], image.shape[0])
        config = self.config
        search = replace(config.search, shift=self._shift)
        candidates = draw_boxes(self.target, search, size, self.draws)
        scene = self._scene(candidates, size)
        features = self._pooled(self._maps(pixels, [scene]), [scene], candidates)
        scores = self._scores(features)
        self.trace = FrameTrace(candidates, scene, features, scores)
        if not scores.isfinite().all():
            fallbacks = frozenset({*self._fallbacks, Fallback.SCORES})
            self._fallbacks.clear()
            answer = np.asarray(self.target, np.float64)
            return Estimate(_box(answer), None, 0.0, lost=True, fallbacks=fallbacks)
        top, numbers = scores[:, 1].topk(min(config.best, len(scores)))
        score = float(top.mean())
        best = candidates[numbers.cpu().numpy()]
        self.target = best.mean(0)
        found = score > 0
        self._shift = config.search.shift if found else config.lost_shift
        self.trace = replace(self.trace, best=best)
        answer = np.asarray(self.target, np.float64)
        if found:
            answer = self._moved(features[numbers], best, size)
            self._collect(pixels, size)
        self._train_on(found)
        fallbacks = frozenset(self._fallbacks)
        self._fallbacks.clear()
        confidence = float(torch.sigmoid(torch.tensor(score)))
        return Estimate(_box(answer), None, confidence, lost=not found, fallbacks=fallbacks)

    def set_state(self, box: Box) -> None:
        """Continue from `box` (image px)."""
        self.target = np.array(box)

    def snapshot(self) -> RtMdNetSnapshot:
        """See `alpharefine.types.ResumableTracker`."""
        return RtMdNetSnapshot(
            self._frame,
            self.target,
            self._shift,
            self.classifier,
            self._trainer.velocities,
            self.regression,
            self.memory,
            frozenset(self._fallbacks),
            self.draws.snapshot(),
        )

    def resume(self, snapshot: RtMdNetSnapshot) -> None:
        """See `alpharefine.types.ResumableTracker`."""
        device = self._runtime.device
        self._frame = snapshot.frame
        self.target = snapshot.target
        self._shift = snapshot.shift
        self.classifier = snapshot.classifier.to(device)
        self.regression = snapshot.regression and snapshot.regression.to(device)
        self.memory = snapshot.memory.to(device)
        self._fallbacks = set(snapshot.fallbacks)
        self.draws = SampleDraws(self.config.seed)
        self.draws.resume(snapshot.draws)
        self._trainer = Trainer(self.config.update, self.draws)
        velocities = snapshot.velocities
        self._trainer.velocities = velocities and tuple(v.to(device) for v in velocities)

    def _learn_target(self, image: Image) -> None:
        config, size = self.config, (image.shape[1], image.shape[0])
        samples = first_frame_samples(self.target, config, size, self.draws)
        positive, negative, regression = self._first_features(self._pixels(image), samples)
        self.first_trainer = Trainer(config.initial, self.draws)
        self._train(self.first_trainer, positive, negative)
        order = self.draws.places.permutation
        chosen = order(len(regression))[: config.regression.count]
        self.regression = self._fit(regression, samples.regression_boxes, chosen)
        kept = (config.update_positive.count, config.update_negative.count)
        self.memory = Memory(
            *(
                (rows[torch.from_numpy(order(len(rows))[:count]).to(rows.device)],)
                for rows, count in zip((positive, negative), kept, strict=True)
            )
        )

    def _fit(self, features: Tensor, boxes: Boxes, chosen: NDArray[Any]) -> BoxRegression | None:
        if not len(chosen):
            return None
        numbers = torch.from_numpy(chosen).to(features.device)
        wanted = boxes[chosen].astype(np.float64)
        config = self.config
        return fit_regression(
            features[numbers], wanted, self.target, config.regression, config.regression_ridge
        )

    def _first_features(self, pixels: Tensor, samples: FirstFrame) -> list[Tensor]:
        """Features of the first frame's samples: target, around it, box regression."""
        width = self.classifier.parameters[0].shape[1]
        features = [pixels.new_zeros(count, width) for count in samples.counts]
        for batch in samples.batches:
            maps = self._maps(pixels, batch.scenes)
            for rows, placed in zip(features, batch.samples, strict=True):
                found = self._pooled(maps, batch.scenes, placed.boxes, placed.scenes)
                rows[torch.from_numpy(placed.rows).to(rows.device)] = found
        return features

    @stage("sample update")
    def _collect(self, pixels: Tensor, size: tuple[int, int]) -> None:
        """Remember how the target and what is around it look in this frame."""
        config, memory = self.config, self.memory
        boxes = [
            draw_boxes(self.target, kind, size, self.draws)
            for kind in (config.update_positive, config.update_negative)
        ]
        around = boxes[1] if len(boxes[1]) else boxes[0]
        if not len(around):
            return
        scene = self._scene(around, size)
        maps = self._maps(pixels, [scene])
        positive, negative = (self._pooled(maps, [scene], each) for each in boxes)
        self.trace = replace(self.trace, learned=(len(positive), len(negative)))
        self.memory = Memory(
            (*memory.positive, positive)[-config.long_memory :],
            (*memory.negative, negative)[-config.short_memory :],
        )

    def _train_on(self, found: bool) -> None:
        """Train if the target was lost, or if it is time."""
        config, positive = self.config, self.memory.positive
        if not found:
            positive = positive[-config.short_memory :]
        elif self._frame % config.update_interval:
            return
        rows = torch.cat(positive), torch.cat(self.memory.negative)
        if len(rows[0]):
            self._train(self._trainer, *rows)
            self.trace = replace(self.trace, trained=(len(rows[0]), len(rows[1])))

    @stage("training")
    def _train(self, trainer: Trainer, positive: Tensor, negative: Tensor) -> None:
        before = trainer.velocities
        trained = trainer.train(self.classifier, positive, negative)
        if trained.is_finite:
            self.classifier = trained
        else:
            trainer.velocities = before
            self._fallbacks.add(Fallback.TRAINING)

    def _scene(self, boxes: Boxes, size: tuple[int, int]) -> Scene:
        config = self.config.scene
        return scene_of(scene_box(boxes, size, config), np.asarray(self.target, float), config)

    def _pixels(self, image: Image) -> Tensor:
        """3 x H x W float32."""
        pixels = torch.from_numpy(image).to(self._runtime.device)
        return pixels.permute(2, 0, 1).float()

    @stage("base crop")
    def _cut(self, pixels: Tensor, scenes: Sequence[Scene]) -> Tensor:
        return torch.stack([scene.cut(pixels) for scene in scenes])

    def _maps(self, pixels: Tensor, scenes: Sequence[Scene]) -> Tensor:
        """Maps of scenes of one size."""
        crops = self._normalization(self._cut(pixels, scenes))
        return self._convolve(crops.contiguous(memory_format=torch.channels_last))

    @stage("base network")
    def _convolve(self, crops: Tensor) -> Tensor:
        maps: Tensor = self._network(crops.to(self._runtime.dtype))
        return maps.float()

    @stage("box features")
    def _pooled(
        self,
        maps: Tensor,
        scenes: Sequence[Scene],
        boxes: Boxes,
        numbers: NDArray[np.int64] | None = None,
    ) -> Tensor:
        """Features of boxes, N x C.

        Args:
            maps: of the scenes.
            scenes: one or more.
            boxes: N x 4, image px.
            numbers: in which scene each of them is; None is the first one.
        """
        network = self._network
        rois = torch.zeros(len(boxes), 5)
        for i, scene in enumerate(scenes):
            inside = np.arange(len(boxes)) if numbers is None else np.flatnonzero(numbers == i)
            rois[inside, 0] = i
            rois[inside, 1:] = scene.regions(
                boxes[inside], self.config.scene, network.receptive_field
            )
        swapped = self.config.official.swapped_roi_columns
        if not len(rois):
            return maps.new_zeros(0, maps.shape[1] * network.roi_cells**2)
        return adaptive_roi(
            maps, rois.to(maps.device), 1 / network.stride, network.roi_cells, swapped
        )

    @stage("localize")
    def _scores(self, features: Tensor) -> Tensor:
        return self.classifier.scores(features)

    def _moved(self, features: Tensor, boxes: Boxes, size: tuple[int, int]) -> NDArray[np.float64]:
        """The mean of the best candidates after box regression."""
        wide = boxes.astype(np.float64)
        if self.regression is not None:
            wide = self.regression.move(features, wide, size, self.config.regression)
        self.trace = replace(self.trace, moved=wide)
        mean: NDArray[np.float64] = wide.mean(0)
        return mean


def _box(values: NDArray[np.float64]) -> Box:
    return Box(*(float(v) for v in values))
