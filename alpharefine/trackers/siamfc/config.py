"""Hyper-parameters of the SiamFC+ tracker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from alpharefine.nets.spec import RAW_BGR, InputSpec
from alpharefine.search_space import Range, SearchSpace
from alpharefine.trackers.siamese.config import ContextConfig

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.siamfc.tracker import SiamFcTracker

_CONTEXT = ContextConfig(corner_rounding="half_even")


@dataclass(frozen=True)
class SiamFcConfig:
    """Hyper-parameters; the defaults are the published ones for any video.

    Attributes:
        context: how crops are cut.
        scale_step: factor from one of the three scales that are searched to the next, above 1.
        scale_penalty: factor of the scores of another scale than the last one, 0..1.
        scale_rate: how far the size goes to the best scale's.
        window_influence: share of the window in the ranking of positions, 0..1.
        upsampling: score map cells become so many, each way, by cubic interpolation.
        stride: search px from one cell of the network's score map to the next.
        least_scale: smallest search region over the first one.
        largest_scale: likewise.

    Sources: Bertinetto et al., "SiamFC" (ECCVW 2016); Zhang and Peng (SiamDW), CVPR 2019.
    """

    search_space: ClassVar[SearchSpace] = {
        "scale_step": Range(1.001, 1.2),
        "scale_penalty": Range(0.95, 1.0),
        "scale_rate": Range(0.15, 0.7),
        "window_influence": Range(0.05, 0.7),
    }

    context: ContextConfig = field(default_factory=lambda: _CONTEXT)
    scale_step: float = 1.0375
    scale_penalty: float = 0.9745
    scale_rate: float = 0.59
    window_influence: float = 0.35
    upsampling: int = 16
    stride: int = 8
    least_scale: float = 0.2
    largest_scale: float = 5.0

    def build(
        self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec = RAW_BGR
    ) -> "SiamFcTracker":
        """The tracker with a `SiamFcNet`, prepared by `runtime`."""
        from alpharefine.nets.siamfc.network import SiamFcNet
        from alpharefine.trackers.siamfc.tracker import SiamFcTracker

        assert isinstance(network, SiamFcNet)
        return SiamFcTracker(network, self, runtime, input_spec)


def _tuned(
    step: float, rate: float, penalty: float, influence: float, search_size: int = 255
) -> SiamFcConfig:
    # The templates of larger search crops are larger, so that score maps are 17 x 17 always.
    context = ContextConfig(
        template_size=search_size - 128, search_size=search_size, corner_rounding="half_even"
    )
    return SiamFcConfig(context, step, penalty, rate, influence)


def _with_vot2018(tuned: dict[str, SiamFcConfig]) -> dict[str, SiamFcConfig]:
    # The sequences of the short-term benchmark were kept that year.
    return {**tuned, "VOT2018": tuned["VOT2017"]}


SIAMFC_TUNED: Mapping[str, Mapping[str, SiamFcConfig]] = {
    "siamfc_res22": _with_vot2018(
        {
            "OTB2013": _tuned(1.0482, 0.3629, 0.9997, 0.3896),
            "OTB2015": _tuned(1.1897, 0.2226, 0.9370, 0.2897),
            "VOT2015": _tuned(1.1190, 0.4373, 0.9811, 0.2569),
            "VOT2016": _tuned(1.1535, 0.4596, 0.9259, 0.3309),
            "VOT2017": _tuned(1.1466, 0.2061, 0.9994, 0.3242),
        }
    ),
    "siamfc_incep22": _with_vot2018(
        {
            "OTB2013": _tuned(1.1767, 0.2702, 0.9370, 0.2376, 263),
            "OTB2015": _tuned(1.1832, 0.3035, 0.9453, 0.2496, 263),
            "VOT2015": _tuned(1.1755, 0.3407, 0.9807, 0.3254),
            "VOT2016": _tuned(1.1859, 0.5921, 0.9359, 0.2616),
            "VOT2017": _tuned(1.1679, 0.6782, 0.9285, 0.2566),
        }
    ),
    "siamfc_next22": _with_vot2018(
        {
            "OTB2013": _tuned(1.0921, 0.4428, 0.9617, 0.2913, 263),
            "OTB2015": _tuned(1.1390, 0.1775, 0.9593, 0.2094, 263),
            "VOT2015": _tuned(1.1849, 0.3373, 0.9417, 0.2518, 263),
            "VOT2016": _tuned(1.1561, 0.1615, 0.9593, 0.2548, 263),
            "VOT2017": _tuned(1.1531, 0.5706, 0.9489, 0.2581),
        }
    ),
}
"""Network -> benchmark -> parameters that the authors have tuned on it."""
