"""A recipe for SiamRPN++ or SiamRPN+."""

from dataclasses import dataclass, field

from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig, UpChannelRpnConfig
from alpharefine.trackers.siamese.config import AnchorConfig
from alpharefine.training.run import RunConfig
from alpharefine.training.tasks.siamese.config import (
    SiameseDataConfig,
    SiameseLossConfig,
    SiameseOptimConfig,
)
from alpharefine.training.tasks.siamese.labels import AnchorLabelConfig


@dataclass(frozen=True)
class SiamRpnLossConfig(SiameseLossConfig):
    """What is minimized.

    Attributes:
        box_weight: of the offsets' absolute errors.
        sum_weight: of the loss of the anchors' summed scores where no target is; SiamRPN+ with one
            score for each anchor has 0.1.
        anchors: boxes at each position.
        labels: which of them count.
    """

    box_weight: float = 1.0
    sum_weight: float = 0.0
    anchors: AnchorConfig = field(default_factory=AnchorConfig)
    labels: AnchorLabelConfig = field(default_factory=AnchorLabelConfig)


@dataclass(frozen=True, kw_only=True)
class SiamRpnRunConfig(RunConfig):
    """A recipe for SiamRPN++ (`kind = "depthwise"`) or SiamRPN+ (`kind = "up_channel"`)."""

    data: SiameseDataConfig
    network: DepthwiseRpnConfig | UpChannelRpnConfig = field(default_factory=DepthwiseRpnConfig)
    optim: SiameseOptimConfig = field(default_factory=SiameseOptimConfig)
    losses: SiamRpnLossConfig = field(default_factory=SiamRpnLossConfig)
