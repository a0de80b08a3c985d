"""Hyper-parameters of the region-proposal Siamese trackers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from alpharefine.nets.spec import RAW_BGR, InputSpec
from alpharefine.search_space import Range, SearchSpace
from alpharefine.trackers.siamese.config import AnchorConfig, ContextConfig, RankConfig
from alpharefine.trackers.siamrpn.channels import ChannelSelectionConfig

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.siamrpn.tracker import SiamRpnTracker


@dataclass(frozen=True)
class SiamRpnConfig:
    """Hyper-parameters; the defaults are those of SiamRPN++ on the VOT benchmarks.

    Attributes:
        context: how crops are cut.
        anchors: of the network.
        rank: which proposal is taken.
        size_rate: how far the size goes from the last one to the proposal's where its score and its
            penalty factor are 1.
        initial_shift: px by which the first center lies left of and above the middle of the initial
            box; fed-back boxes are taken by their middle.
        small_target_search_size: side of the search crop, px, for targets that are small at first;
            None treats all alike.
        small_target_share: share of the image below which a target is small.
        answers_inside: an answer's top left corner is moved into the image.
        channels: which backbone channels see the target; None uses all ("target-aware" otherwise).

    Sources: Li et al., "SiamRPN++" (CVPR 2019); its published VOT configuration.
    """

    search_space: ClassVar[SearchSpace] = {
        "rank.penalty": Range(0.001, 0.6),
        "rank.window_influence": Range(0.05, 0.65),
        "size_rate": Range(0.1, 0.8),
    }

    context: ContextConfig = field(default_factory=ContextConfig)
    anchors: AnchorConfig = field(default_factory=AnchorConfig)
    rank: RankConfig = field(default_factory=RankConfig)
    size_rate: float = 0.38
    initial_shift: float = 0.5
    small_target_search_size: int | None = None
    small_target_share: float = 0.004
    answers_inside: bool = False
    channels: ChannelSelectionConfig | None = None

    def build(
        self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec = RAW_BGR
    ) -> "SiamRpnTracker":
        """The tracker with a network that follows `RpnNet`, prepared by `runtime`."""
        from alpharefine.nets.siamrpn.maps import RpnNet
        from alpharefine.trackers.siamrpn.tracker import SiamRpnTracker

        assert isinstance(network, RpnNet)
        return SiamRpnTracker(network, self, runtime, input_spec)


SIAMRPN_PP_OTB = SiamRpnConfig(rank=RankConfig(penalty=0.24, window_influence=0.5), size_rate=0.25)
"""SiamRPN++ as published for OTB; its network fuses with equal weights."""

SIAMRPN_LITE = SiamRpnConfig(initial_shift=0.0)
"""This project's small SiamRPN++."""

TA_SIAMRPN_PP = SiamRpnConfig(channels=ChannelSelectionConfig())
"""Target-aware SiamRPN++."""

SIAMRPN_PLUS = SiamRpnConfig(
    context=ContextConfig(side_rounding="half_away", corner_rounding="half_even"),
    rank=RankConfig(penalty=0.055, window_influence=0.42),
    size_rate=0.295,
    initial_shift=0.0,
    answers_inside=True,
)
"""SiamRPN+ with its published defaults.

Source: Zhang and Peng (SiamDW), CVPR 2019.
"""


def _tuned(penalty: float, size_rate: float, window_influence: float) -> SiamRpnConfig:
    return replace(SIAMRPN_PLUS, rank=RankConfig(penalty, window_influence), size_rate=size_rate)


_VOT2017 = replace(
    _tuned(0.038, 0.388, 0.347),
    context=replace(SIAMRPN_PLUS.context, search_size=271),
    small_target_search_size=287,
)

SIAMRPN_PLUS_TUNED: Mapping[str, SiamRpnConfig] = {
    "OTB2013": _tuned(0.256, 0.439, 0.074),
    "OTB2015": _tuned(0.841, 0.714, 0.390),
    "VOT2015": _tuned(0.895, 0.654, 0.370),
    "VOT2016": _tuned(0.711, 0.701, 0.355),
    "VOT2017": _VOT2017,
    "VOT2018": _VOT2017,
}
"""Benchmark -> parameters that the authors have tuned on it; VOT2018 has VOT2017's sequences."""
