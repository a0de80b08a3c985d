"""Settings of a tracker of several objects. Without torch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SharingConfig:
    """When targets share a search region, and so one pass of the base tracker's network.

    Attributes:
        margin: part of each target's usual search radius that a shared region holds around it.
        largest_growth: how many times its usual scale a shared region may have, so that a target
            is that much smaller in it.
        largest_shrinkage: the same for a smaller scale; the base tracker's own regions shrink by as
            much at an image's border.
    """

    margin: float = 0.6
    largest_growth: float = 1.5
    largest_shrinkage: float = 1.5


@dataclass(frozen=True)
class PresenceConfig:
    """When a target counts as absent: where p = sigmoid(bias + score + mask terms) stays low.

    Attributes:
        bias: of the sum.
        score_weight: of the base tracker's confidence, 0..1.
        mask_weight: of the mean probability in the refiner's mask, 0..1; 0.5 where there is none.
        threshold: p below which a frame speaks for absence.
        patience: frames in a row that must, before the target is answered as absent; one frame that
            speaks against it ends the absence.
    """

    bias: float
    score_weight: float
    mask_weight: float
    threshold: float
    patience: int = 2


@dataclass(frozen=True)
class RedetectionConfig:
    """How an absent target is looked for.

    Beside the usual search region there is another one, at a place that moves outward from where
    the target was last seen, over the whole image.

    Attributes:
        step: distance between two of these places, in sides of a search region.
        least_score: confidence from which on the target is found there.
    """

    step: float = 0.5
    least_score: float = 0.45


@dataclass(frozen=True)
class MultiConfig:
    """Settings of `alpharefine.multi.tracker.MultiObjectTracker`.

    Attributes:
        sharing: of search regions; None gives each target its own.
        presence: None never says that a target is absent.
        redetection: of absent targets; None looks for them where they were.
    """

    sharing: SharingConfig | None = SharingConfig()
    presence: PresenceConfig | None = None
    redetection: RedetectionConfig | None = None


PRESENCE: Mapping[str, PresenceConfig] = {
    "ARDiMP_lite": PresenceConfig(
        bias=-10.147, score_weight=13.667, mask_weight=3.198, threshold=0.1, patience=2
    )
}
"""By tracker: fitted on training video, where 0.5 % of the frames in which the tracker is on its
target fall below the threshold, and 76 to 89 % of those from which the target was taken away."""


def multi_config(tracker: str, *, presence: bool) -> MultiConfig:
    """Settings for challenges with several objects (VOTS).

    Args:
        tracker: name in the catalog.
        presence: whether absent targets are said to be, and looked for elsewhere, if the decision
            was fitted for this tracker.
    """
    fitted = PRESENCE.get(tracker) if presence else None
    if fitted is None:
        return MultiConfig()
    return MultiConfig(presence=fitted, redetection=RedetectionConfig())
