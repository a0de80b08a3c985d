"""Settings of the ATOM tracker. Without torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpharefine.errors import UsageError
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.trackers.online.config import (
    AugmentationConfig,
    BoxRefinementConfig,
    MemoryConfig,
    OnlineConfig,
)

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.atom.tracker import AtomTracker


@dataclass(frozen=True)
class AtomConfig(OnlineConfig):
    """Settings of `AtomTracker`; the defaults are the published ones.

    Attributes:
        image_sample_size: side of the square sample, px; a multiple of 32.
        search_area_scale: side of the search area over the root of the target's area.
        augmentation: of the first frame.
        memory: of the filter's samples.
        box_refinement: of the target's extent.
        channels: that the backbone's are projected to.
        filter_size: side of the target filter, cells; even.
        filter_regularization: weight of its squares.
        projection_regularization: weight of the squares of the projection.
        label_sigma: of the wanted scores' Gaussian, in root target areas.
        response_floor: how far scores can fall below 0.
        initial_steps: Gauss-Newton steps of the first frame, for filter and projection together.
        initial_descents: conjugate gradient steps in each of them.
        update_descents: those of an update, which is one Gauss-Newton step for the filter alone.
        train_skipping: frames between two updates.

    Source: Danelljan et al. (ATOM), CVPR 2019, and the published parameters.
    """

    image_sample_size: int = 288
    search_area_scale: float = 5.0
    augmentation: AugmentationConfig = AugmentationConfig(
        blur_sigmas=((2, 0.2), (0.2, 2), (3, 1), (1, 3), (2, 2)),
        rotations=(5, -5, 10, -10, 20, -20, 30, -30, 45, -45, -60, 60),
        dropout_copies=7,
    )
    memory: MemoryConfig = MemoryConfig(capacity=250)
    box_refinement: BoxRefinementConfig = BoxRefinementConfig(
        iterations=5, step_length=1.0, space="default"
    )
    channels: int = 64
    filter_size: int = 4
    filter_regularization: float = 0.1
    projection_regularization: float = 1e-4
    label_sigma: float = 0.25
    response_floor: float = 0.05
    initial_steps: int = 6
    initial_descents: int = 10
    update_descents: int = 5
    train_skipping: int = 10

    def __post_init__(self) -> None:
        if self.image_sample_size % 32 or self.image_sample_size <= 0:
            raise UsageError(
                f"image_sample_size is {self.image_sample_size}: give a multiple of 32, so that "
                "the score map has an even side"
            )

    def build(
        self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec = IMAGENET
    ) -> "AtomTracker":
        """See `alpharefine.catalogue.TrackerConfig`.

        The network is an `AtomNet`, or a `DimpNet` whose backbone and box regressor are used.
        """
        from alpharefine.nets.atom.network import AtomParts
        from alpharefine.nets.dimp.network import DimpNet
        from alpharefine.trackers.atom.tracker import AtomTracker

        parts = AtomParts.shared_with(network) if isinstance(network, DimpNet) else network
        assert isinstance(parts, AtomParts)
        return AtomTracker(parts, self, runtime, input_spec=input_spec)


ATOM_LITE = AtomConfig(
    augmentation=AugmentationConfig(
        blur_sigmas=((3, 1), (1, 3), (2, 2)),
        rotations=(10, -10, 30, -30, 45, -45),
        dropout_copies=3,
    ),
    memory=MemoryConfig(capacity=80),
    box_refinement=BoxRefinementConfig(),
    channels=48,
)
"""A small ATOM on `dimp_lite`: fewer samples and channels. The box regressor's value is a density,
as in DiMP-super, and is ascended as there."""
