"""A recipe for SiamFC+."""

from dataclasses import dataclass, field
from typing import Literal

from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.training.run import RunConfig
from alpharefine.training.tasks.siamese.config import (
    SiameseDataConfig,
    SiameseLossConfig,
    SiameseOptimConfig,
)


@dataclass(frozen=True)
class SiamFcLossConfig(SiameseLossConfig):
    """What is minimized.

    Attributes:
        label_rounding: which cell is the middle of a label, see
            `alpharefine.training.tasks.siamese.labels.center_labels`.
    """

    label_rounding: Literal["nearest", "floor"] = "nearest"


@dataclass(frozen=True, kw_only=True)
class SiamFcRunConfig(RunConfig):
    """A recipe for SiamFC+."""

    data: SiameseDataConfig
    network: SiamFcNetConfig = field(default_factory=SiamFcNetConfig)
    optim: SiameseOptimConfig = field(default_factory=SiameseOptimConfig)
    losses: SiamFcLossConfig = field(default_factory=SiamFcLossConfig)
