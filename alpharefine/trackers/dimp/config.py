"""Settings of the DiMP tracker. Without torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.official import CORRECTED, OfficialBehavior
from alpharefine.trackers.online.config import (
    AugmentationConfig,
    BoxRefinementConfig,
    LocalizationConfig,
    MemoryConfig,
)

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.dimp.tracker import DimpTracker


@dataclass(frozen=True)
class DimpConfig:
    """Settings of `DimpTracker`; the defaults are those of super_dimp as the VOT2020 entry ran it.

    Attributes:
        image_sample_size: side of the square sample, px; a multiple of the classifier's stride.
        search_area_scale: side of the search area over the root of the target's area.
        patch_max_scale_change: how much a search area may shrink to fit into the image, >= 1;
            None leaves it where it is, with the image's border repeated outside.
        train_skipping: frames between two filter updates.
        net_opt_iter: optimizer steps on the first frame.
        net_opt_update_iter: steps of a regular update.
        net_opt_hn_iter: steps after a hard negative.
        target_inside_ratio: share of the target that must stay in the image.
        augmentation: of the first frame.
        memory: of the filter's samples.
        localization: when a peak is the target.
        box_refinement: of the target's extent.
        learn_settled: the filter learns a frame only when `set_state` has said where the target is
            in it; an addition for trackers whose boxes are refined: the peak of the scores is up
            to half a score cell off.
        seed: of the random generator, set anew by every `initialize`.
        official: which peculiarities of the official code are kept.

    Source: Danelljan et al. (PrDiMP), CVPR 2020, and the published super_dimp parameters.
    """

    image_sample_size: int = 352
    search_area_scale: float = 6.0
    patch_max_scale_change: float | None = 1.5
    train_skipping: int = 20
    net_opt_iter: int = 10
    net_opt_update_iter: int = 2
    net_opt_hn_iter: int = 1
    target_inside_ratio: float = 0.2
    augmentation: AugmentationConfig = AugmentationConfig()
    memory: MemoryConfig = MemoryConfig()
    localization: LocalizationConfig = LocalizationConfig()
    box_refinement: BoxRefinementConfig = BoxRefinementConfig()
    learn_settled: bool = False
    seed: int = 0
    official: OfficialBehavior = CORRECTED

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
