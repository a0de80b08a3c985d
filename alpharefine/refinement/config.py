"""Settings of Alpha-Refine and of its coupling with a base tracker. Without torch."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from alpharefine.errors import UsageError
from alpharefine.official import CORRECTED, OfficialBehavior
from alpharefine.search_space import Range, SearchSpace


@dataclass(frozen=True)
class RefinerConfig:
    """How crops are cut and answers are read.

    Attributes:
        search_factor: side of the crop over the side of the box, for each axis.
        mask_threshold: probability that a pixel of the mask must exceed.
        least_fill: share of the refined box below which a mask counts as missed; an addition, 0 in
            the official systems.
        restored_fill: share of the refined box that a missed mask gets, its most probable pixels.
        reference_share: share of the newest reference in a renewed one, 0..1; the rest is the
            first frame's. An addition for targets that turn.
        min_side: a refined box with a shorter side (px) is not answered.
        official: `padded_border`, `unguarded_corners` and `unrounded_back_projection` are read.

    Source: Yan et al., "Alpha-Refine" (CVPR 2021), section 3; the authors' VOT2020 entry.
    """

    search_space: ClassVar[SearchSpace] = {
        "mask_threshold": Range(0.2, 0.7),
        "reference_share": Range(0.0, 1.0),
    }

    search_factor: float = 2.0
    mask_threshold: float = 0.65
    least_fill: float = 0.0
    restored_fill: float = 0.5
    reference_share: float = 0.5
    min_side: float = 2.0
    official: OfficialBehavior = CORRECTED

    def __post_init__(self) -> None:
        if not 0 <= self.reference_share <= 1:
            raise UsageError(f"reference_share is {self.reference_share}: give 0 to 1")


@dataclass(frozen=True)
class CouplingConfig:
    """How base tracker and refiner work together; the defaults are the VOT2020 entry's.

    Attributes:
        refine_around: the refiner sees the base tracker's box clipped to the image, or, as in the
            CVPR 2021 demo, the "base" box as it is.
        feedback: the base tracker goes on from its own box ("base"), from the refined one
            ("refined", the CVPR 2021 demo), or from the refined one only in frames where it has
            found the target itself ("refined_if_found"). Fed-back boxes are clipped to the image.
        feedback_rate: how far the fed-back size goes from the last one to the refined one, above 0
            up to 1, in the logarithm of each side; an addition, 1 in the official systems. A lower
            one keeps a target's size while something passes before it.
        reference_interval: frames from one renewal of the refiner's reference to the next; an
            addition for targets that turn, 0 (the first frame for ever) in the official systems.
        reference_score: the base tracker's confidence from which on a frame may renew it.
        outputs: what the refiner computes, "box", "mask" or both; None is all it has.
        clip_margin: px of each axis that clipping keeps inside the image.
        min_side: px, shortest side of a fed-back box (unless `tiny_boxes`).
        initial_shift: px, right and down, by which the base tracker's initial box is moved where
            `shifted_initial_box` is kept; 0.5 in the CVPR 2021 demo.
        official: `tiny_boxes` and `shifted_initial_box` are read.

    Source: the authors' VOT2020 entry and CVPR 2021 demo.
    """

    search_space: ClassVar[SearchSpace] = {
        "feedback_rate": Range(0.1, 1.0),
        "reference_interval": Range(0, 30, whole=True),
        "reference_score": Range(0.2, 0.8),
    }

    refine_around: Literal["clipped", "base"] = "clipped"
    feedback: Literal["base", "refined", "refined_if_found"] = "base"
    feedback_rate: float = 1.0
    reference_interval: int = 0
    reference_score: float = 0.5
    outputs: tuple[Literal["box", "mask"], ...] | None = None
    clip_margin: float = 10.0
    min_side: float = 2.0
    initial_shift: float = 0.0
    official: OfficialBehavior = CORRECTED

    def __post_init__(self) -> None:
        if not 0 < self.feedback_rate <= 1:
            raise UsageError(f"feedback_rate is {self.feedback_rate}: give more than 0, up to 1")
        if self.reference_interval < 0:
            raise UsageError(
                f"reference_interval is {self.reference_interval}: give 0 or more frames"
            )
