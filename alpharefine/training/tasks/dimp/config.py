"""What is learned in DiMP training, how fast, and how much each part counts."""

from dataclasses import dataclass, field
from typing import Literal

from alpharefine.errors import UsageError
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.training.clip_data import ClipDataConfig
from alpharefine.training.crops import DimpCropConfig
from alpharefine.training.run import OptimConfig, RunConfig
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.synthesis import DIMP_SYNTHESIS, SynthesisConfig


@dataclass(frozen=True)
class DimpDataConfig(ClipDataConfig):
    """Where DiMP's clips come from and how they are made; the defaults are super_dimp's.

    Attributes:
        clip: how many frames, and how far apart.
        synthesis: how still images become clips, and what is pasted into any clip; an addition.
        crops: size and jitter.

    Source: the published super_dimp settings.
    """

    clip: ClipConfig = field(default_factory=lambda: ClipConfig(train=3, test=3, max_gap=200))
    synthesis: SynthesisConfig = DIMP_SYNTHESIS
    crops: DimpCropConfig = field(default_factory=DimpCropConfig)


@dataclass(frozen=True)
class DimpLossConfig:
    """Losses of DiMP training; the defaults are super_dimp's.

    Attributes:
        box_weight: KL loss of the box regressor.
        clf_weight: loss of the last filter on the test frames.
        clf_init_weight: loss of the initial filter.
        clf_iter_weight: mean loss of the filters between them.
        optimizer_iterations: steps of the filter optimizer in training.
        label_sigma: standard deviation of the score label, score cells.
        hinge_threshold: label below which only positive scores are penalized.
        proposals: boxes drawn around the target in each test frame.
        box_loss: "density" of PrDiMP, or "overlap": the box regressor learns the IoU, 2 IoU - 1.
        target_sigma: standard deviation of the box label in relative coordinates.
        proposal_sigmas: standard deviations of the proposals, two halves for "density".
        least_overlap: of proposals for "overlap".

    Source: Danelljan et al. (PrDiMP), CVPR 2020, section 5, and the published super_dimp settings.
    """

    box_weight: float = 0.01
    clf_weight: float = 100.0
    clf_init_weight: float = 100.0
    clf_iter_weight: float = 400.0
    optimizer_iterations: int = 5
    label_sigma: float = 22 / 24
    hinge_threshold: float = 0.05
    proposals: int = 128
    box_loss: Literal["density", "overlap"] = "density"
    target_sigma: float = 0.05
    proposal_sigmas: tuple[float, ...] = (0.05, 0.5)
    least_overlap: float = 0.1

    def __post_init__(self) -> None:
        if self.box_loss == "density" and len(self.proposal_sigmas) != 2:
            raise UsageError("proposal_sigmas: give two for box_loss density")


@dataclass(frozen=True, kw_only=True)
class DimpOptimConfig(OptimConfig):
    """Learning rates of the parts; the defaults are super_dimp's.

    `cached_samples` are features of a frozen backbone, or of its stage of stride 8 where that of
    stride 16 is trained.

    Attributes:
        initializer: of the filter initializer.
        optimizer: of the filter optimizer.
        classifier: of the classification feature.
        box_regressor: of the box regressor.
        backbone: of the backbone's trained stages; 0 freezes them all.
        frozen_until: last backbone stage that stays as it is; None trains all.

    Source: the published super_dimp settings.
    """

    initializer: float = 5e-5
    optimizer: float = 5e-4
    classifier: float = 5e-5
    box_regressor: float = 1e-3
    backbone: float = 2e-5
    frozen_until: str | None = "layer2"

    def __post_init__(self) -> None:
        if self.cached_samples and self.backbone and self.frozen_until != "layer2":
            raise UsageError(
                "cached_samples needs a frozen backbone: set backbone = 0, or frozen_until = layer2"
            )


@dataclass(frozen=True, kw_only=True)
class DimpRunConfig(RunConfig):
    """A recipe for DiMP."""

    data: DimpDataConfig
    network: DimpNetConfig = field(default_factory=DimpNetConfig)
    optim: DimpOptimConfig = field(default_factory=DimpOptimConfig)
    losses: DimpLossConfig = field(default_factory=DimpLossConfig)
