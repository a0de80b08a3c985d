"""Hyper-parameters that Siamese trackers share. Without torch."""

import math
from dataclasses import dataclass
from typing import Literal

_MAX_CONTEXT = 2.0**40


@dataclass(frozen=True)
class ContextConfig:
    """How crops are cut.

    Attributes:
        amount: what is added to each side of the target, over the sum of both.
        template_size: side of the template crop, px; a target with its context fills it.
        search_size: side of the search crop, px, at the same scale.
        side_rounding: what becomes of half pixels where the side of a crop is rounded: the even
            number, or the one away from zero.
        corner_rounding: the same for the top left corner of a crop: the even number, or upwards.

    Sources: Bertinetto et al., "SiamFC" (ECCVW 2016), section 3.1; Li et al., "SiamRPN" (CVPR
    2018); the roundings differ between the published systems.
    """

    amount: float = 0.5
    template_size: int = 127
    search_size: int = 255
    side_rounding: Literal["half_even", "half_away"] = "half_even"
    corner_rounding: Literal["half_even", "half_up"] = "half_up"

    def side(self, w: float, h: float) -> float:
        """Side of the square around a target of w x h px and its context, px."""
        margin = self.amount * (w + h)
        return min(math.sqrt((w + margin) * (h + margin)), _MAX_CONTEXT)

    def round_side(self, side: float) -> int:
        """Whole pixels of a crop, at least 1."""
        away = self.side_rounding == "half_away"
        return max(math.floor(side + 0.5) if away else round(side), 1)

    def corner(self, center: float, side: int) -> int:
        """First column or row of a crop of `side` pixels around a center."""
        corner = center - (side + 1) / 2
        return math.floor(corner + 0.5) if self.corner_rounding == "half_up" else round(corner)


@dataclass(frozen=True)
class AnchorConfig:
    """Boxes at each position of a score map.

    Attributes:
        stride: search px from one position to the next.
        scale: side of a square anchor over the stride.
        ratios: h / w of each anchor.

    Source: Li et al., "SiamRPN" (CVPR 2018), section 4.1.
    """

    stride: int = 8
    scale: int = 8
    ratios: tuple[float, ...] = (0.33, 0.5, 1.0, 2.0, 3.0)


@dataclass(frozen=True)
class RankConfig:
    """Which proposal is taken; the defaults are those of SiamRPN++ on the VOT benchmarks.

    Attributes:
        penalty: exponent's factor of the penalty for a change of size and aspect.
        window_influence: share of the window in the ranking, 0..1.

    Source: Li et al., "SiamRPN" (CVPR 2018), section 4.4, eqs. 13 and 14.
    """

    penalty: float = 0.05
    window_influence: float = 0.42
