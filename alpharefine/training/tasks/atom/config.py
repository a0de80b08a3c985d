"""What is learned in ATOM's training: its box regressor, and nothing of its classifier."""

from dataclasses import dataclass, field

from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.training.clip_data import ClipDataConfig
from alpharefine.training.crops import DimpCropConfig
from alpharefine.training.run import OptimConfig, RunConfig
from alpharefine.training.sampling import ClipConfig
from alpharefine.training.synthesis import DIMP_SYNTHESIS, SynthesisConfig


@dataclass(frozen=True)
class AtomDataConfig(ClipDataConfig):
    """Where pairs come from and how they are cut; the defaults are the published ones.

    Attributes:
        clip: how many frames, and how far apart.
        synthesis: how still images become clips, and what is pasted into any clip; an addition.
        crops: size and jitter.
    """

    clip: ClipConfig = field(default_factory=lambda: ClipConfig(train=1, test=1, max_gap=50))
    synthesis: SynthesisConfig = DIMP_SYNTHESIS
    crops: DimpCropConfig = field(
        default_factory=lambda: DimpCropConfig(
            size=288,
            area_factor=5.0,
            max_scale_change=None,
            train_center_jitter=0.0,
            test_center_jitter=4.5,
            train_scale_jitter=0.0,
            test_scale_jitter=0.5,
        )
    )


@dataclass(frozen=True)
class AtomLossConfig:
    """Boxes whose overlap with the target is learned; the defaults are the published ones.

    Attributes:
        proposals: boxes drawn around the target in each test frame.
        proposal_sigmas: standard deviations in relative coordinates, of which each box has one.
        least_overlap: of them.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 3.1, and the published settings.
    """

    proposals: int = 16
    proposal_sigmas: tuple[float, ...] = (0.01, 0.05, 0.1, 0.2, 0.3)
    least_overlap: float = 0.1


@dataclass(frozen=True, kw_only=True)
class AtomOptimConfig(OptimConfig):
    """Learning rate; the backbone stays as it is.

    Attributes:
        box_regressor: its learning rate.
    """

    box_regressor: float = 1e-3


@dataclass(frozen=True, kw_only=True)
class AtomRunConfig(RunConfig):
    """A recipe for ATOM."""

    data: AtomDataConfig
    network: AtomNetConfig = field(default_factory=AtomNetConfig)
    optim: AtomOptimConfig = field(default_factory=AtomOptimConfig)
    losses: AtomLossConfig = field(default_factory=AtomLossConfig)
