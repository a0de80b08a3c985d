"""Settings of the RT-MDNet tracker. Without torch."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from alpharefine.nets.spec import MIDDLE_RGB, InputSpec
from alpharefine.official import CORRECTED, OfficialBehavior
from alpharefine.search_space import Range, SearchSpace

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.rtmdnet.tracker import RtMdNetTracker

Bounds = tuple[float, float]


@dataclass(frozen=True)
class SamplesConfig:
    """How boxes are drawn around a target.

    Attributes:
        kind: distribution of place and size.
        shift: of the center, in mean sides of the target.
        scale: factor of the size at the distribution's end.
        count: boxes wanted.
        aspect: factor of the aspect ratio at its end; None leaves it.
        iou: with the target, of boxes that are kept; None keeps all.
        area: over the target's, likewise.
        inside: the whole box stays in the image.
    """

    kind: Literal["gaussian", "uniform"]
    shift: float
    scale: float
    count: int
    aspect: float | None = None
    iou: Bounds | None = None
    area: Bounds | None = None
    inside: bool = False


@dataclass(frozen=True)
class SceneConfig:
    """How the part of an image that boxes lie in becomes a network's input.

    Attributes:
        object_size: scene px that the target's sides become.
        padding: factor of the sides of boxes.
        largest: longest side of a scene, px: there are smaller targets than the published tracker
            was made for, whose scenes would fill the memory.
    """

    object_size: int = 107
    padding: float = 1.2
    largest: int = 2048


@dataclass(frozen=True)
class ExtraScenesConfig:
    """Scenes of the first frame beside the one with all samples.

    Attributes:
        shift: px, by which the scene is moved left, and up.
        scales: exponents of the factor of the object's size.
        scale_step: that factor.
        count: small scenes with samples of their own.
        region: side of their region over the target's.
        jitter: largest shift of them, px.
        positive: samples of each.
        regression: likewise.
    """

    shift: float = 4.0
    scales: tuple[int, ...] = (-1, 1, -2, 2)
    scale_step: float = 1.1
    count: int = 100
    region: float = 1.8
    jitter: float = 4.0
    positive: int = 5
    regression: int = 2


@dataclass(frozen=True)
class TrainingConfig:
    """One training of the classifier.

    Attributes:
        iterations: steps.
        learning_rate: of the shared layers; the video's own layer has ten times as much.
        positives: rows of a step.
        negatives: likewise.
        candidates: from which the negatives with the highest scores are taken.
        momentum: of the descent.
        weight_decay: of all weights.
        largest_gradient: norm that a longer gradient is cut to.
    """

    iterations: int
    learning_rate: float
    positives: int = 32
    negatives: int = 96
    candidates: int = 1024
    momentum: float = 0.9
    weight_decay: float = 5e-4
    largest_gradient: float = 10.0


_POSITIVE = SamplesConfig("gaussian", 0.1, 1.2, 500, iou=(0.7, 1.0))
_NEGATIVE = SamplesConfig("uniform", 1.0, 2.0, 5000, 1.1, iou=(0.0, 0.5))
_REGRESSION = SamplesConfig("uniform", 0.3, 1.5, 1000, 1.1, iou=(0.6, 1.0), area=(1.0, 2.0))


@dataclass(frozen=True)
class RtMdNetConfig:
    """Settings of `RtMdNetTracker`; the defaults are the published ones.

    Attributes:
        scene: how images become scenes.
        extra: scenes of the first frame.
        positive: samples of the first frame.
        negative: likewise.
        regression: samples from which box regression is learned.
        near_negative: of the small scenes, in place of `negative`.
        search: candidates of a frame.
        lost_shift: their `shift` after a frame without the target.
        best: candidates whose mean is the answer.
        update_positive: samples of a frame with the target.
        update_negative: likewise.
        initial: training on the first frame.
        update: training later.
        update_interval: frames between two of them.
        long_memory: frames whose positives are kept.
        short_memory: frames whose negatives are kept, and of whose positives a lost target is
            learned.
        regression_ridge: weight of the squares of box regression.
        seed: of all draws, set anew by every `initialize`.
        official: which peculiarities of the official code are kept.

    Source: Jung et al. (RT-MDNet), ECCV 2018, and the published parameters.
    """

    search_space: ClassVar[SearchSpace] = {
        "search.shift": Range(0.3, 1.0),
        "search.scale": Range(1.02, 1.15),
        "lost_shift": Range(0.8, 2.0),
        "update.learning_rate": Range(1e-4, 1e-3, log=True),
        "update_interval": Range(5, 20, whole=True),
    }

    scene: SceneConfig = SceneConfig()
    extra: ExtraScenesConfig = ExtraScenesConfig()
    positive: SamplesConfig = _POSITIVE
    negative: SamplesConfig = _NEGATIVE
    regression: SamplesConfig = _REGRESSION
    near_negative: SamplesConfig = SamplesConfig("uniform", 0.3, 2.0, 12, 1.1, iou=(0.0, 0.5))
    search: SamplesConfig = SamplesConfig("gaussian", 0.6, 1.05, 256, inside=True)
    lost_shift: float = 1.4
    best: int = 5
    update_positive: SamplesConfig = SamplesConfig("gaussian", 0.1, 1.2, 50, iou=(0.7, 1.0))
    update_negative: SamplesConfig = SamplesConfig("uniform", 1.5, 1.2, 200, iou=(0.0, 0.3))
    initial: TrainingConfig = TrainingConfig(50, 1e-4)
    update: TrainingConfig = TrainingConfig(15, 3e-4)
    update_interval: int = 10
    long_memory: int = 100
    short_memory: int = 20
    regression_ridge: float = 1000.0
    seed: int = 0
    official: OfficialBehavior = CORRECTED

    def build(
        self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec = MIDDLE_RGB
    ) -> "RtMdNetTracker":
        """See `alpharefine.catalogue.TrackerConfig`; the network is an `MdNet`."""
        from alpharefine.nets.mdnet.network import MdNet
        from alpharefine.trackers.rtmdnet.tracker import RtMdNetTracker

        assert isinstance(network, MdNet)
        return RtMdNetTracker(network, self, runtime, input_spec)


RTMDNET_LITE = RtMdNetConfig(
    scene=SceneConfig(object_size=64, largest=512),
    extra=ExtraScenesConfig(scales=(-1, 1), count=20),
    positive=replace(_POSITIVE, count=200),
    negative=replace(_NEGATIVE, count=1000),
    regression=replace(_REGRESSION, count=300),
    update_positive=SamplesConfig("gaussian", 0.1, 1.2, 30, iou=(0.7, 1.0)),
    update_negative=SamplesConfig("uniform", 1.0, 1.2, 100, iou=(0.0, 0.3)),
    initial=TrainingConfig(40, 1e-3, candidates=256),
    update=TrainingConfig(10, 1e-3, candidates=256),
    long_memory=60,
    regression_ridge=100.0,
)
"""A small RT-MDNet on `rtmdnet_lite`: smaller scenes, fewer samples, shorter trainings at a higher
rate."""
