"""Which backbone channels respond to the target of the first frame, by ridge regression.

The sum of a channel's regression weights says how much the target's place depends on it. The
regression is stopped early, and the sums depend on where: a closed form is no substitute.

Sources: Li et al., "Target-Aware Deep Tracking" (CVPR 2019), section 3.2; Chen et al.,
"Ta-SiamRPN++" (2020).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class LevelSelection:
    """How one backbone stage is treated.

    Attributes:
        stage: of the backbone.
        kept: channels that are not set to zero; all of a stage with no more are kept unasked.
        learning_rate: of gradient descent.
        momentum: likewise.
    """

    stage: str
    kept: int
    learning_rate: float
    momentum: float


@dataclass(frozen=True)
class ChannelSelectionConfig:
    """Hyper-parameters of the regression; the defaults are those of Ta-SiamRPN++.

    Attributes:
        levels: stages with a selection.
        kernel: side of the regression's kernel, cells; odd.
        label_sigma: standard deviation of the label's Gaussian over that of exp(-0.2 d^2 / s^2)
            with s cells.
        weight_decay: of weights and bias.
        max_steps: of gradient descent.
        target_loss: the descent stops before the first step at which mean squared error plus decay
            are below.
        form: "dual" computes with a coefficient for each position and is much the faster one of
            the two, "primal" with the weights themselves.

    Source: Chen et al., "Ta-SiamRPN++" (2020).
    """

    levels: tuple[LevelSelection, ...] = (
        LevelSelection("layer2", 300, 1e-3, 0.98),
        LevelSelection("layer3", 1024, 1e-3, 0.93),
        LevelSelection("layer4", 1500, 4.92e-5, 0.9),
    )
    kernel: int = 9
    label_sigma: float = 1.5
    weight_decay: float = 1e-4
    max_steps: int = 300
    target_loss: float = 1e-4
    form: Literal["dual", "primal"] = "dual"


def select_channels(
    features: "Tensor", level: LevelSelection, config: ChannelSelectionConfig
) -> "Tensor | None":
    """1 x C x 1 x 1 mask, 1 for the channels that are kept; None where the regression diverges.

    Args:
        features: C x s x s of a crop with the target in its middle.
        level: how many channels are kept, and how the regression descends.
        config: the rest.
    """
    import torch

    from alpharefine.trackers.siamrpn.ridge import fit_ridge

    channels = features.shape[0]
    if channels <= level.kept:
        return torch.ones(1, channels, 1, 1)
    importance = fit_ridge(features, level, config).importance
    if not importance.isfinite().all():
        return None
    kept = importance.argsort(descending=True, stable=True)[: level.kept]
    return torch.zeros(channels).index_fill(0, kept.cpu(), 1).reshape(1, channels, 1, 1)
