"""Pairs of Siamese training, and what is learned of them how fast."""

from dataclasses import dataclass, field
from typing import Literal

from alpharefine.errors import UsageError
from alpharefine.trackers.siamese.config import ContextConfig
from alpharefine.training.clip_data import ClipDataConfig
from alpharefine.training.run import OptimConfig
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.tasks.siamese.losses import LossName


@dataclass(frozen=True)
class JitterConfig:
    """How far a training crop is from the tracker's.

    Attributes:
        shift: largest shift each way, crop px.
        scale: largest change of each side, as a share.
        blur: share of crops that a Gaussian of 1 px blurs.

    Source: SiamDW's published settings.
    """

    shift: float = 4.0
    scale: float = 0.05
    blur: float = 0.0


@dataclass(frozen=True)
class SiameseCropConfig:
    """Training crops: the tracker's, jittered.

    Attributes:
        context: sizes of template and search crop; how much context belongs to a target.
        base_size: side of the square that crops are cut from, search px: jitter ends at its edges.
        template: jitter of the template.
        search: jitter of the search crop.
        label_shift: which shift the label of score maps follows: the "applied" one, or, as in the
            published program, the "requested" one.
    """

    context: ContextConfig = field(default_factory=ContextConfig)
    base_size: int = 511
    template: JitterConfig = field(default_factory=JitterConfig)
    search: JitterConfig = field(default_factory=JitterConfig)
    label_shift: Literal["applied", "requested"] = "applied"

    def __post_init__(self) -> None:
        if self.base_size < self.context.search_size:
            raise ValueError("base_size must be that of the search crop or more")


@dataclass(frozen=True)
class SiameseDataConfig(ClipDataConfig):
    """Where pairs come from and how they are made.

    Attributes:
        clip: how far apart their frames are.
        crops: sizes and jitter.
    """

    clip: ClipConfig = field(default_factory=lambda: ClipConfig(max_gap=100))
    crops: SiameseCropConfig = field(default_factory=SiameseCropConfig)

    def __post_init__(self) -> None:
        if (self.clip.train, self.clip.test) != (1, 1):
            raise ValueError("clip: Siamese networks learn from one train and one test frame")


@dataclass(frozen=True)
class SiameseLossConfig:
    """What is minimized.

    Attributes:
        classification: of the scores; see `alpharefine.training.tasks.siamese.losses.LOSSES`.
        negative_pairs: share of pairs whose template is of another pair of the batch: nothing in
            their search crops is the target. An addition to SiamFC+ and SiamRPN+.
    """

    classification: LossName = "logistic"
    negative_pairs: float = 0.0


@dataclass(frozen=True)
class Unlock:
    """From when on a part of the backbone is trained.

    Attributes:
        part: as `torch.nn.Module.get_submodule` takes it: "layer2.4".
        share: of the run's epochs, 0..1; the epoch that reaches it trains the part already.
    """

    part: str
    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class SiameseOptimConfig(OptimConfig):
    """What is learned, and how fast.

    Attributes:
        learning_rate: of everything but the backbone.
        backbone_learning_rate: of the backbone's trained parts.
        unlock: parts of the backbone that are trained; none leaves it as it is.
        unlocking: "kept" has one optimizer for the whole run. "official" does what SiamDW's program
            does: newly unlocked parts get an optimizer that is forgotten after their first epoch,
            so that afterwards only the first parts are trained, while the gradients of all the
            others add up and count when gradients are clipped; "layer2.0" normalizes by the batch
            from the start. For comparison only.
    """

    learning_rate: float = 1e-2
    backbone_learning_rate: float = 1e-2
    unlock: tuple[Unlock, ...] = ()
    unlocking: Literal["kept", "official"] = "kept"

    def __post_init__(self) -> None:
        if self.cached_samples and self.unlock:
            raise UsageError("cached_samples needs a frozen backbone: leave unlock out")
