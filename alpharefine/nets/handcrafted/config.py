"""Sizes of the features that nothing is learned for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.nets.handcrafted.network import HandcraftedFeatures


@dataclass(frozen=True)
class HandcraftedConfig:
    """Sizes of the features.

    Attributes:
        cell: side of a cell of color names and of gradients' histograms, px.
    """

    cell: int = 4

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {}

    def build(self) -> "HandcraftedFeatures":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.handcrafted.network import HandcraftedFeatures

        return HandcraftedFeatures(self)
