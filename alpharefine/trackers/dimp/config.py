"""Settings of the DiMP tracker. Without torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.trackers.online.config import BoxRefinementConfig, OnlineConfig

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.dimp.tracker import DimpTracker


@dataclass(frozen=True)
class DimpConfig(OnlineConfig):
    """Settings of `DimpTracker`; the defaults are those of super_dimp as the VOT2020 entry ran it.

    Attributes:
        patch_max_scale_change: how much a search area may shrink to fit into the image, >= 1;
            None leaves it where it is, with the image's border repeated outside.
        train_skipping: frames between two filter updates.
        net_opt_iter: optimizer steps on the first frame.
        net_opt_update_iter: steps of a regular update.
        net_opt_hn_iter: steps after a hard negative.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, and the published super_dimp parameters.
    """

    patch_max_scale_change: float | None = 1.5
    train_skipping: int = 20
    net_opt_iter: int = 10
    net_opt_update_iter: int = 2
    net_opt_hn_iter: int = 1

    def build(
        self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec = IMAGENET
    ) -> "DimpTracker":
        """See `alpharefine.catalogue.TrackerConfig`; the network is a `DimpNet`."""
        from alpharefine.nets.dimp.network import DimpNet
        from alpharefine.trackers.dimp.tracker import DimpTracker

        assert isinstance(network, DimpNet)
        return DimpTracker(network, self, runtime, input_spec=input_spec)


DIMP_50 = DimpConfig(
    image_sample_size=288,
    search_area_scale=5.0,
    patch_max_scale_change=None,
    box_refinement=BoxRefinementConfig(iterations=5, step_length=1.0, space="default"),
)
"""DiMP-50 and DiMP-18 as published: a smaller crop that may leave the image, and boxes ascended in
their own coordinates (Bhat et al., ICCV 2019)."""
