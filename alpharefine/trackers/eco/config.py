"""Settings of the ECO tracker. Without torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from alpharefine.errors import UsageError
from alpharefine.nets.spec import IMAGENET, InputSpec
from alpharefine.official import CORRECTED, OfficialBehavior
from alpharefine.search_space import Range, SearchSpace
from alpharefine.trackers.online.config import AugmentationConfig

if TYPE_CHECKING:
    from torch import nn

    from alpharefine.runtime import Runtime
    from alpharefine.trackers.eco.tracker import EcoTracker


@dataclass(frozen=True)
class FeatureConfig:
    """One of the two features.

    Attributes:
        channels: that the network's are projected to.
        learning_rate: weight of a new sample, 0..1.
        label_sigma: of the wanted scores' Gaussian, in root target areas.
        score_weight: share in the scores.
        least_penalty: of the filter's extent, in the target's middle.
        edge_penalty: the same at its edge.
        sparsity: Fourier coefficients of the penalty below this share of the largest are left out.
    """

    channels: int
    learning_rate: float
    label_sigma: float
    score_weight: float
    least_penalty: float
    edge_penalty: float
    sparsity: float


@dataclass(frozen=True)
class EcoConfig:
    """Settings of `EcoTracker`; the defaults are those of the published PyTorch version.

    Attributes:
        search_area_scale: side of the search area over the root of the target's area.
        sample_sizes: shortest and longest side of the sample, px; within them the image's own
            resolution is kept.
        shallow: first layer's features.
        deep: last layer's.
        scale_step: factor from one scale that is searched to the next.
        scales: odd number of scales that are searched.
        capacity: samples kept.
        initial_steps: Gauss-Newton steps of the first frame, for filters and projections together.
        initial_descents: conjugate gradient steps in each of them.
        update_descents: those of a filter update.
        train_skipping: frames between two updates.
        forgetting: share of the last update's direction that the next one begins with.
        data_share: of single channels, against their mean, in the preconditioner.
        penalty_share: of the extent's penalty in it.
        projection_step: preconditioner of the projection.
        projection_regularization: weight of the squares of the projection.
        target_inside_ratio: share of the target that must stay in the image.
        augmentation: of the first frame.
        seed: of the random generator, set anew by every `initialize`.
        official: which peculiarities of the official code are kept.

    Source: Danelljan et al. (ECO), CVPR 2017, and the published parameters.
    """

    search_space: ClassVar[SearchSpace] = {
        "search_area_scale": Range(3.5, 6.0),
        "shallow.learning_rate": Range(0.005, 0.06, log=True),
        "deep.learning_rate": Range(0.002, 0.03, log=True),
        "scale_step": Range(1.005, 1.05),
        "train_skipping": Range(3, 20, whole=True),
    }

    search_area_scale: float = 4.5
    sample_sizes: tuple[int, int] = (200, 250)
    shallow: FeatureConfig = FeatureConfig(16, 0.025, 1 / 16, 0.4, 1e-4, 1e-2, 0.05)
    deep: FeatureConfig = FeatureConfig(64, 0.0075, 1 / 4, 0.6, 1e-3, 5e-2, 0.1)
    scale_step: float = 1.02
    scales: int = 5
    capacity: int = 200
    initial_steps: int = 10
    initial_descents: int = 10
    update_descents: int = 5
    train_skipping: int = 10
    forgetting: float = (1 - 0.025) ** 75
    data_share: float = 0.3
    penalty_share: float = 0.15
    projection_step: float = 35.0
    projection_regularization: float = 5e-8
    target_inside_ratio: float = 0.2
    augmentation: AugmentationConfig = AugmentationConfig(
        expansion_factor=1.0,
        random_shift_factor=0.0,
        relative_shifts=(),
        shifts=((6, 6), (-6, 6), (6, -6), (-6, -6)),
        blur_sigmas=((2, 0.2), (0.2, 2), (3, 1), (1, 3), (2, 2)),
        rotations=(5, -5, 10, -10, 20, -20, 30, -30, 45, -45, -60, 60),
        dropout_copies=7,
    )
    seed: int = 0
    official: OfficialBehavior = CORRECTED

    def __post_init__(self) -> None:
        if self.augmentation.expansion_factor != 1:
            raise UsageError("augmentation.expansion_factor must be 1: samples are no larger")
        if self.scales % 2 == 0:
            raise UsageError(f"scales is {self.scales}: give an odd number")

    def build(
        self, network: "nn.Module", runtime: "Runtime", input_spec: InputSpec = IMAGENET
    ) -> "EcoTracker":
        """See `alpharefine.catalogue.TrackerConfig`.

        The network is an `EcoNet`, `HandcraftedFeatures`, or a `DimpNet` whose backbone is used.
        """
        from alpharefine.nets.dimp.network import DimpNet
        from alpharefine.nets.eco.network import SharedEcoNet
        from alpharefine.trackers.eco.tracker import EcoTracker

        features = SharedEcoNet(network) if isinstance(network, DimpNet) else network
        return EcoTracker(features, self, runtime, input_spec=input_spec)


_FEW_SAMPLES = AugmentationConfig(
    expansion_factor=1.0,
    random_shift_factor=0.0,
    relative_shifts=(),
    shifts=((6, 6), (-6, -6)),
    blur_sigmas=((2, 2), (3, 1), (1, 3)),
    rotations=(10, -10, 30, -30),
    dropout_copies=3,
)

ECO_LITE = EcoConfig(
    sample_sizes=(176, 208),
    shallow=FeatureConfig(12, 0.02, 1 / 16, 0.4, 1e-4, 1e-2, 0.05),
    deep=FeatureConfig(48, 0.0075, 1 / 4, 0.6, 1e-3, 5e-2, 0.1),
    scale_step=1.03,
    scales=3,
    capacity=50,
    initial_steps=5,
    initial_descents=6,
    augmentation=_FEW_SAMPLES,
)
"""A small ECO on the backbone of `dimp_lite`: fewer samples, channels and scales."""

ECO_HC = EcoConfig(
    search_area_scale=4.0,
    sample_sizes=(144, 176),
    shallow=FeatureConfig(3, 0.009, 1 / 16, 0.3, 1e-4, 1e-2, 0.05),
    deep=FeatureConfig(10, 0.009, 1 / 16, 0.7, 1e-4, 1e-2, 0.05),
    scale_step=1.03,
    scales=3,
    capacity=30,
    train_skipping=5,
    initial_steps=5,
    initial_descents=6,
    augmentation=_FEW_SAMPLES,
)
"""ECO-HC: color names and histograms of gradients, no network (Danelljan et al., section 4.4)."""
