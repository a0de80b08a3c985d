"""Sizes of an RT-MDNet network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpharefine.nets.mdnet.network import MdNet


@dataclass(frozen=True)
class MdNetConfig:
    """Sizes of an RT-MDNet network: VGG-M's first layers with wider maps, and two hidden layers.

    Attributes:
        hidden: units of each hidden layer.

    Source: Jung et al. (RT-MDNet), ECCV 2018, section 3.1, and the published network.
    """

    hidden: int = 512

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {}

    def build(self) -> "MdNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.mdnet.network import MdNet

        return MdNet(self)
