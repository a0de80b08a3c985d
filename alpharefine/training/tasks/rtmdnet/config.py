"""What is learned in RT-MDNet's training, how fast, and how much each part counts."""

from dataclasses import dataclass, field

from alpharefine.errors import UsageError
from alpharefine.nets.mdnet.config import VGG_M, MdNetConfig
from alpharefine.training.clip_data import ClipDataConfig
from alpharefine.training.run import OptimConfig, RunConfig
from alpharefine.training.sampling import ClipConfig


@dataclass(frozen=True)
class SceneCropConfig:
    """Crops in which the target's sides both are as long as in the tracker's scenes.

    Attributes:
        size: side of the crop, px.
        object_size: px that the target's sides become.
        center_jitter: largest shift of the target from the middle, in its sides.
        scale_jitter: sigma of the logarithm of both sides' factor.
    """

    size: int = 160
    object_size: int = 64
    center_jitter: float = 0.5
    scale_jitter: float = 0.15


@dataclass(frozen=True)
class RtMdNetDataConfig(ClipDataConfig):
    """Where clips come from and how they are cut; each cached clip is a domain.

    Attributes:
        clip: how many frames, and how far apart.
        crops: how they are cut.
    """

    clip: ClipConfig = field(default_factory=lambda: ClipConfig(train=2, test=4, max_gap=60))
    crops: SceneCropConfig = SceneCropConfig()


@dataclass(frozen=True)
class RtMdNetLossConfig:
    """What is minimized: cross-entropy of each domain's own layer, and the instance embedding.

    Attributes:
        positives: boxes drawn near the target in each frame.
        negatives: boxes drawn around it.
        positive_iou: overlap from which a box is the target.
        negative_iou: overlap up to which it is background.
        embedding_weight: of the loss that tells the targets of a batch's domains apart.

    Source: Jung et al. (RT-MDNet), ECCV 2018, sections 3.3 and 4.1.
    """

    positives: int = 6
    negatives: int = 18
    positive_iou: float = 0.7
    negative_iou: float = 0.5
    embedding_weight: float = 0.1


@dataclass(frozen=True, kw_only=True)
class RtMdNetOptimConfig(OptimConfig):
    """Learning rates; the backbone stays as it is.

    Attributes:
        shared: of the layers that all domains share.
        branch: of each domain's own layer.
        cached_samples: domains; their backbone's features are kept on disk.

    Raises:
        UsageError: there is no domain.
    """

    shared: float = 1e-3
    branch: float = 1e-2
    cached_samples: int = 1000

    def __post_init__(self) -> None:
        if self.cached_samples < 1:
            raise UsageError("cached_samples must be 1 or more: each cached clip is a domain")


@dataclass(frozen=True, kw_only=True)
class RtMdNetRunConfig(RunConfig):
    """A recipe for RT-MDNet on a backbone of ours.

    Raises:
        UsageError: the network is the published one, whose convolutions are not trained here.
    """

    data: RtMdNetDataConfig
    network: MdNetConfig
    optim: RtMdNetOptimConfig = field(default_factory=RtMdNetOptimConfig)
    losses: RtMdNetLossConfig = field(default_factory=RtMdNetLossConfig)

    def __post_init__(self) -> None:
        if self.network.backbone == VGG_M:
            raise UsageError(
                f"network: {VGG_M} cannot be trained: its features would change, which are cached;"
                ' set backbone = "efficientnet_lite0"'
            )
