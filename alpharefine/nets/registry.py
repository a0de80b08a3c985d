"""The networks that have a name, and the weights that there are for them. Without torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from alpharefine.errors import UsageError
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.spec import InputSpec, NetworkConfig, NetworkSpec, OfficialFile, WeightsSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

_PYTRACKING = "https://github.com/visionml/pytracking/blob/master/MODEL_ZOO.md"
_ALPHA_REFINE = "https://github.com/MasterBin-IIAU/AlphaRefine"
_OFFICIAL_LICENCE = "the authors' (code GPL-3.0; trained on research data sets); not distributed"

LITE = WeightsSpec(
    name="lite",
    url=None,
    sha256="f96e194f0baae00b77ae681d6193d6e39a0db9fe43d1ed41f3da442d695a3f7a",
    size=20_513_172,
    licence="MIT; trained on research data sets, see MODEL_CARD.md",
    source="trained with `arvot train`; backbones begin with EfficientNet-Lite0 (ImageNet)",
    obtain="install arvot again, they are part of it",
    reported="see MODEL_CARD.md",
)


def _official(
    name: str, file: str, page: str, paper: str, reported: str = ""
) -> tuple[WeightsSpec, ...]:
    """Weights that the authors publish and that cannot be shipped."""
    spec = WeightsSpec(
        name=name,
        url=None,
        sha256=None,
        size=None,
        licence=_OFFICIAL_LICENCE,
        source=f"{file}, {page}; {paper}",
        obtain=(
            f"download {file} from the authors' model zoo ({page}, needs a browser), "
            f"then `arvot weights fetch {name} --from {file}`"
        ),
        reported=reported,
    )
    return (spec,)


NETWORKS: Mapping[str, NetworkSpec] = {
    spec.name: spec
    for spec in (
        NetworkSpec(
            "dimp_lite",
            DimpNetConfig(
                backbone="efficientnet_lite0",
                clf_channels=256,
                clf_blocks=2,
                iou_channels=128,
                iou_reference_channels=64,
            ),
            InputSpec(288),
            weights=(LITE,),
        ),
        NetworkSpec(
            "ar_lite",
            RefineNetConfig(
                backbone="efficientnet_lite0",
                fusion_widths=(128, 128),
                corner_widths=(128, 128, 64),
                mask_head="fpn",
                fpn_widths=(128, 64, 48),
            ),
            InputSpec(256),
            weights=(LITE,),
        ),
        NetworkSpec(
            "super_dimp",
            DimpNetConfig(),
            InputSpec(352),
            _official(
                "super_dimp",
                "super_dimp.pth.tar",
                _PYTRACKING,
                "Bhat et al. (ICCV 2019), Danelljan et al. (CVPR 2020)",
            ),
            OfficialFile(unread=("feature_extractor.layer4.", "feature_extractor.fc.")),
        ),
        NetworkSpec(
            "ar_v20",
            RefineNetConfig(
                backbone="resnet50",
                input_size=384,
                kernel="roi",
                fusion_widths=(),
                non_local=True,
                box_head=None,
                mask_head="frtm",
            ),
            InputSpec(384),
            _official(
                "ar_v20",
                "ARnet_seg_mask_ep0040.pth.tar",
                _ALPHA_REFINE,
                "Yan et al., VOT2020 real-time winner",
                "VOT2020 short-term with super_dimp: EAO 0.493 baseline, 0.499 real-time",
            ),
            OfficialFile(unread=("feature_extractor.fc.",)),
        ),
        NetworkSpec(
            "ar_c21_r34",
            RefineNetConfig(),
            InputSpec(256),
            _official(
                "ar_c21_r34", "SEcmnet_ep0040-c.pth.tar", _ALPHA_REFINE, "Yan et al., CVPR 2021"
            ),
            OfficialFile(unread=("feature_extractor.layer4.", "feature_extractor.fc.")),
        ),
        NetworkSpec(
            "ar_c21_r18",
            RefineNetConfig(backbone="resnet18"),
            InputSpec(256),
            _official("ar_c21_r18", "SEcm_r18", _ALPHA_REFINE, "Yan et al., CVPR 2021"),
            OfficialFile(unread=("feature_extractor.layer4.", "feature_extractor.fc.")),
        ),
    )
}
"""Name -> network."""

WEIGHTS: Mapping[str, WeightsSpec] = {
    weights.name: weights for spec in NETWORKS.values() for weights in spec.weights
}
"""Name -> registered weights."""

_Config = TypeVar("_Config", bound=NetworkConfig)


def find_network(name: str) -> NetworkSpec:
    """The named network.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in NETWORKS:
        raise UsageError(f"unknown network '{name}'; choose one of {', '.join(NETWORKS)}")
    return NETWORKS[name]


def networks_of(weights: WeightsSpec) -> tuple[str, ...]:
    """Names of the networks that registered weights are for."""
    return tuple(spec.name for spec in NETWORKS.values() if weights in spec.weights)


def networks_with(config_type: type[_Config]) -> dict[str, _Config]:
    """Name -> configuration of all networks of one kind, `RefineNetConfig` for instance."""
    return {
        spec.name: spec.config for spec in NETWORKS.values() if isinstance(spec.config, config_type)
    }


def build_network(name: str) -> "nn.Module":
    """A named network with its initial random weights, in training mode.

    Raises:
        UsageError: there is none of this name.
    """
    return find_network(name).config.build()


def expected_entries(name: str) -> "dict[str, Tensor]":
    """Entry name -> tensor without data (meta device) of a named network's state dict.

    Raises:
        UsageError: there is none of this name.
    """
    import torch

    with torch.device("meta"):
        return build_network(name).state_dict()
