"""What is learned in training Alpha-Refine, how fast, and how much each part counts."""

from dataclasses import dataclass, field

from alpharefine.errors import UsageError
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.training.clip_data import ClipDataConfig
from alpharefine.training.crops import RefineCropConfig
from alpharefine.training.run import OptimConfig, RunConfig


@dataclass(frozen=True)
class RefineDataConfig(ClipDataConfig):
    """Where pairs come from and how they are made.

    Attributes:
        crops: jitter; the size is the network's.
    """

    crops: RefineCropConfig = field(default_factory=RefineCropConfig)

    def __post_init__(self) -> None:
        if (self.clip.train, self.clip.test) != (1, 1):
            raise ValueError("clip: refinement learns from one train and one test frame")


@dataclass(frozen=True)
class RefineLossConfig:
    """Weights of the losses.

    Attributes:
        box_weight: mean squared error of left, top, right and bottom, crop px squared.
        mask_weight: binary cross-entropy per pixel.
        dice_weight: soft Dice loss of each mask, 0..1; not in the paper, follows mask IoU.
        choice_weight: cross-entropy of a selector's choice with the branch whose box is best.

    Source: Alpha-Refine, section 3.4.
    """

    box_weight: float = 1.0
    mask_weight: float = 1000.0
    dice_weight: float = 0.0
    choice_weight: float = 10.0


@dataclass(frozen=True, kw_only=True)
class RefineOptimConfig(OptimConfig):
    """What is learned, and how fast.

    Attributes:
        learning_rate: of everything but the backbone.
        backbone_learning_rate: of the backbone's trained stages.
        frozen_until: last backbone stage that stays as it is; None trains all (the paper).
    """

    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-3
    frozen_until: str | None = None

    def __post_init__(self) -> None:
        if self.cached_samples and self.frozen_until is None:
            raise UsageError("cached_samples needs a frozen backbone: set frozen_until")


@dataclass(frozen=True, kw_only=True)
class RefineRunConfig(RunConfig):
    """A recipe for Alpha-Refine."""

    data: RefineDataConfig
    network: RefineNetConfig = field(default_factory=RefineNetConfig)
    optim: RefineOptimConfig = field(default_factory=RefineOptimConfig)
    losses: RefineLossConfig = field(default_factory=RefineLossConfig)
