"""The networks that have a name, and the weights that there are for them. Without torch."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from alpharefine.errors import UsageError
from alpharefine.nets.atom.config import AtomNetConfig
from alpharefine.nets.dimp.config import DimpNetConfig
from alpharefine.nets.eco.config import EcoNetConfig
from alpharefine.nets.handcrafted.config import HandcraftedConfig
from alpharefine.nets.mdnet.config import MdNetConfig
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.siamfc.config import SiamFcNetConfig
from alpharefine.nets.siamrpn.config import DepthwiseRpnConfig, UpChannelRpnConfig
from alpharefine.nets.spec import (
    MIDDLE_RGB,
    RAW_BGR,
    InputSpec,
    NetworkConfig,
    NetworkSpec,
    OfficialFile,
    WeightsSpec,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

_PYTRACKING = "https://github.com/visionml/pytracking/blob/master/MODEL_ZOO.md"
_ALPHA_REFINE = "https://github.com/MasterBin-IIAU/AlphaRefine"
_PYSOT = "https://github.com/STVIR/pysot/blob/master/MODEL_ZOO.md"
_SIAMDW = "https://github.com/researchmm/SiamDW"
_UNREAD_OF_RESNET = ("feature_extractor.layer4.", "feature_extractor.fc.")
_OFFICIAL_LICENSE = "the authors' (code GPL-3.0; trained on research data sets); not distributed"

LITE = WeightsSpec(
    name="lite",
    url=None,
    sha256="f96e194f0baae00b77ae681d6193d6e39a0db9fe43d1ed41f3da442d695a3f7a",
    size=20_513_172,
    license="MIT; trained on research data sets, see MODEL_CARD.md",
    source="trained with `arvot train`; backbones begin with EfficientNet-Lite0 (ImageNet)",
    obtain="install arvot again, they are part of it",
    reported="see MODEL_CARD.md",
)

SIAMRPN_LITE = WeightsSpec(
    name="siamrpn_lite",
    url=None,
    sha256="1d6ba5c94923038671ae1c273cdce8dd13f31e6d4336dbd64401c7b18103d955",
    size=4_376_864,
    license="MIT; trained on research data sets, see MODEL_CARD.md",
    source="trained with `arvot train`; the backbone is that of `lite`",
    obtain="install arvot again, they are part of it",
    reported="see MODEL_CARD.md",
)

_PYSOT_LICENSE = "the authors' (CC BY-SA 3.0; trained on research data sets); not distributed"
_PYSOT_FILE = OfficialFile(("state_dict", ""))


def _official(
    name: str,
    file: str,
    page: str,
    paper: str,
    reported: str = "",
    license: str = _OFFICIAL_LICENSE,
) -> tuple[WeightsSpec, ...]:
    """Weights that the authors publish and that cannot be shipped."""
    spec = WeightsSpec(
        name=name,
        url=None,
        sha256=None,
        size=None,
        license=license,
        source=f"{file}, {page}; {paper}",
        obtain=(
            f"download {file} from the authors' model zoo ({page}, needs a browser), "
            f"then `arvot weights fetch {name} --from {file}`"
        ),
        reported=reported,
    )
    return (spec,)


def _siamdw(
    name: str, model: str, config: SiamFcNetConfig | UpChannelRpnConfig, reported: str = ""
) -> NetworkSpec:
    """A network of SiamDW; one without reported results is not published."""
    get = f"download the file of {model} from {_SIAMDW} (its links need a browser)"
    if not reported:
        get = "none is published: train it as the authors do"
    weights = WeightsSpec(
        name=name,
        url=None,
        sha256=None,
        size=None,
        license="the authors' (code MIT; trained on research data sets); not distributed",
        source=f"{model}, {_SIAMDW}; Zhang and Peng, SiamDW (CVPR 2019)",
        obtain=(
            f"{get if reported else 'none is published: train it as the authors do'}, "
            f"then `arvot weights fetch {name} --from FILE.pth`"
        ),
        reported=reported and f"VOT2015 / 2016 / 2017 EAO {reported}",
    )
    file = OfficialFile(("state_dict", ""), unread=("connect_model.loc_adjust.",))
    return NetworkSpec(name, config, RAW_BGR, (weights,), file)


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
            OfficialFile(unread=_UNREAD_OF_RESNET),
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
            OfficialFile(unread=_UNREAD_OF_RESNET),
        ),
        NetworkSpec(
            "ar_c21_r18",
            RefineNetConfig(backbone="resnet18"),
            InputSpec(256),
            _official("ar_c21_r18", "SEcm_r18", _ALPHA_REFINE, "Yan et al., CVPR 2021"),
            OfficialFile(unread=_UNREAD_OF_RESNET),
        ),
        NetworkSpec(
            "dimp50",
            DimpNetConfig(),
            InputSpec(288),
            _official(
                "dimp50",
                "dimp50.pth",
                _PYTRACKING,
                "Bhat et al., DiMP (ICCV 2019)",
                "VOT2018 EAO 0.440, LaSOT AUC 56.9, TrackingNet 74.0, GOT-10k AO 61.1",
            ),
            OfficialFile(unread=_UNREAD_OF_RESNET),
        ),
        NetworkSpec(
            "dimp18",
            DimpNetConfig(backbone="resnet18", clf_channels=256, clf_blocks=1, clf_block="basic"),
            InputSpec(288),
            _official("dimp18", "dimp18.pth", _PYTRACKING, "Bhat et al., DiMP (ICCV 2019)"),
            OfficialFile(unread=_UNREAD_OF_RESNET),
        ),
        NetworkSpec(
            "atom",
            AtomNetConfig(),
            InputSpec(288),
            _official(
                "atom",
                "atom_default.pth",
                _PYTRACKING,
                "Danelljan et al., ATOM (CVPR 2019)",
                "VOT2018 EAO 0.401, LaSOT AUC 51.5, TrackingNet 70.3, GOT-10k AO 55.6",
            ),
            OfficialFile(unread=_UNREAD_OF_RESNET),
        ),
        NetworkSpec(
            "eco",
            EcoNetConfig(),
            InputSpec(240),
            _official(
                "eco",
                "resnet18_vggmconv1.pth",
                _PYTRACKING,
                "He et al. (CVPR 2016), Chatfield et al. (BMVC 2014), for Danelljan et al., ECO",
            ),
            OfficialFile(("",), unread=("layer4.", "fc.")),
        ),
        NetworkSpec(
            "handcrafted",
            HandcraftedConfig(),
            InputSpec(176, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), white=255.0),
            has_weights=False,
        ),
        NetworkSpec(
            "rtmdnet",
            MdNetConfig(),
            MIDDLE_RGB,
            _official(
                "rtmdnet",
                "rt-mdnet.pth",
                "https://github.com/IlchaeJung/RT-MDNet",
                "Jung et al., RT-MDNet (ECCV 2018)",
                license="the authors' (none stated; trained on research data); not distributed",
            ),
            OfficialFile(("shared_layers",)),
        ),
        NetworkSpec(
            "siamrpnpp",
            DepthwiseRpnConfig(),
            RAW_BGR,
            _official(
                "siamrpnpp",
                "model.pth",
                f"{_PYSOT} (siamrpn_r50_l234_dwxcorr)",
                "Li et al., SiamRPN++ (CVPR 2019)",
                "VOT2018 EAO 0.415, VOT2019 EAO 0.287",
                _PYSOT_LICENSE,
            ),
            _PYSOT_FILE,
        ),
        NetworkSpec(
            "siamrpnpp_otb",
            DepthwiseRpnConfig(fusion="mean"),
            RAW_BGR,
            _official(
                "siamrpnpp_otb",
                "model.pth",
                f"{_PYSOT} (siamrpn_r50_l234_dwxcorr_otb)",
                "Li et al., SiamRPN++ (CVPR 2019)",
                "OTB2015 AUC 0.696",
                _PYSOT_LICENSE,
            ),
            _PYSOT_FILE,
        ),
        _siamdw("siamfc_res22", "CIResNet22", SiamFcNetConfig(), "0.318 / 0.303 / 0.234"),
        _siamdw(
            "siamfc_res22w",
            "CIResNet22W",
            SiamFcNetConfig("cir_resnet22w"),
            "0.368 / 0.352 / 0.269",
        ),
        _siamdw(
            "siamfc_incep22",
            "CIResInception22",
            SiamFcNetConfig("cir_inception22"),
            "0.310 / 0.295 / 0.236",
        ),
        _siamdw(
            "siamfc_next22",
            "CIResNeXt22",
            SiamFcNetConfig("cir_resnext22"),
            "0.297 / 0.278 / 0.229",
        ),
        _siamdw("siamrpn_res22", "CIResNet22_RPN", UpChannelRpnConfig(), "0.381 / 0.376 / 0.294"),
        _siamdw(
            "siamrpn_res22_thicker",
            "CIResNet22_RPN with the thicker head",
            UpChannelRpnConfig(channels=512, scores_per_anchor=2),
        ),
        NetworkSpec(
            "siamrpn_lite",
            DepthwiseRpnConfig(
                backbone="efficientnet_lite0",
                dilated=False,
                stages=("layer2", "layer3"),
                joined=True,
                channels=96,
                template_cells=8,
                fusion="mean",
            ),
            InputSpec(255),
            weights=(SIAMRPN_LITE,),
            backbone_of="dimp_lite",
        ),
        NetworkSpec(
            "rtmdnet_lite",
            MdNetConfig(hidden=128, channels=64, backbone="efficientnet_lite0"),
            InputSpec(160),
            backbone_of="dimp_lite",
        ),
        NetworkSpec(
            "siamfc_lite",
            SiamFcNetConfig(
                backbone="efficientnet_lite0",
                stages=("layer2", "layer3"),
                channels=128,
                template_cells=8,
                score_scale=0.01,
            ),
            InputSpec(255),
            backbone_of="dimp_lite",
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


def input_of(config: NetworkConfig) -> InputSpec:
    """What a network expects of its crops: as the registered one of its kind and backbone.

    Args:
        config: of any sizes. Where no such network is registered, its input is that of the first
            registered one of its kind.
    """
    alike = [spec for spec in NETWORKS.values() if type(spec.config) is type(config)]
    backbone = getattr(config, "backbone", None)
    exact = [spec for spec in alike if getattr(spec.config, "backbone", None) == backbone]
    return (exact or alike)[0].input


def networks_of(weights: WeightsSpec) -> tuple[str, ...]:
    """Names of the networks that registered weights are for."""
    return tuple(spec.name for spec in NETWORKS.values() if weights in spec.weights)


def networks_with(config_type: type[_Config]) -> dict[str, _Config]:
    """Name -> configuration of the networks with a `RefineNetConfig`, for instance."""
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
