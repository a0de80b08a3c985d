"""Which targets share a search region, and where that lies.

Positions are (y, x) float32 pairs in image pixels, as in the base trackers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alpharefine.geometry.base_crop import Pair
from alpharefine.multi.config import SharingConfig


@dataclass(frozen=True)
class SearchPlace:
    """Where a target would be looked for by itself.

    Attributes:
        center: of its search region.
        scale: image pixels per sample pixel that the target's size asks for.
        fitted: the scale that the region has, which may be less at the image's border.
    """

    center: Pair
    scale: float
    fitted: float


@dataclass(frozen=True)
class SharedRegion:
    """A search region for several targets.

    Attributes:
        members: which of the targets, at least two.
        center: of the region.
        scale: image pixels per sample pixel.
    """

    members: Sequence[int]
    center: Pair
    scale: np.float32


def fitted_scale(
    scale: float, side: int, image_size: tuple[int, int], max_change: float | None
) -> float:
    """The scale of a base tracker's own region after it was made smaller to fit into the image.

    Args:
        scale: image pixels per sample pixel.
        side: of the sample, px.
        image_size: height and width, px.
        max_change: see `alpharefine.geometry.base_crop.sample_patch`.
    """
    if max_change is None:
        return scale
    return scale / float(np.clip(scale * side / max(image_size), 1, max_change))


def share_regions(
    places: Sequence[SearchPlace],
    side: int,
    image_size: tuple[int, int],
    config: SharingConfig,
    *,
    stays_inside: bool,
) -> list[SharedRegion]:
    """Put targets together, each into the first region that can hold it beside those in it.

    A region holds a target if it is cut at a scale that suits the target's size, and reaches far
    enough around it; see `SharingConfig`. What lies outside the image is not needed.

    Args:
        places: of the targets.
        side: of a sample, px.
        image_size: height and width, px.
        config: when they may share.
        stays_inside: whether regions are moved into the image.

    Returns:
        The regions; targets in none of them have their own.
    """
    groups: list[tuple[list[int], SharedRegion | None]] = []
    limits = np.array(image_size, np.float32) if stays_inside else None
    for target in range(len(places)):
        for number, (members, _) in enumerate(groups):
            together = [*members, target]
            region = _region(together, places, side, limits, config)
            if region is not None:
                groups[number] = together, region
                break
        else:
            groups.append(([target], None))
    return [region for _, region in groups if region is not None]


def _region(
    members: list[int],
    places: Sequence[SearchPlace],
    side: int,
    limits: NDArray[np.float32] | None,
    config: SharingConfig,
) -> SharedRegion | None:
    """The region for targets; None if they are too far apart or differ too much in size."""
    chosen = [places[member] for member in members]
    reach = config.margin * side / 2
    low = np.min([place.center - reach * place.fitted for place in chosen], axis=0)
    high = np.max([place.center + reach * place.fitted for place in chosen], axis=0)
    if limits is not None:
        low, high = np.clip(low, 0, limits), np.clip(high, 0, limits)
    usual = float(np.exp(np.mean([np.log(place.fitted) for place in chosen])))
    scale = max(float((high - low).max()) / side, usual)
    suits = (
        place.scale / config.largest_shrinkage <= scale <= place.scale * config.largest_growth
        for place in chosen
    )
    if not all(suits):
        return None
    return SharedRegion(members, np.asarray((low + high) / 2, np.float32), np.float32(scale))
