"""Sizes of the region-proposal Siamese networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alpharefine.nets.backbones.cir_names import cir_renames

if TYPE_CHECKING:
    from alpharefine.nets.siamrpn.depthwise import DepthwiseRpnNet
    from alpharefine.nets.siamrpn.up_channel import UpChannelRpnNet


@dataclass(frozen=True)
class DepthwiseRpnConfig:
    """Sizes of SiamRPN++; the defaults are those of the published ResNet-50 network.

    Attributes:
        backbone: name in `alpharefine.nets.backbones`.
        dilated: whether the backbone keeps stride 8 from layer2 on.
        stages: backbone stages that are read, the finest first.
        joined: stages are added up and have one head; otherwise each has its own, and they must
            have one stride.
        channels: of the adjusted features and of the correlation.
        template_cells: side of the template's feature map, cut out of its middle.
        anchors: boxes at each position.
        fusion: heads are averaged with "learned" weights, or equally ("mean", the OTB network).
        kind: of the correlation.

    Source: Li et al., "SiamRPN++" (CVPR 2019), section 3.
    """

    backbone: str = "resnet50"
    dilated: bool = True
    stages: tuple[str, ...] = ("layer2", "layer3", "layer4")
    joined: bool = False
    channels: int = 256
    template_cells: int = 7
    anchors: int = 5
    fusion: Literal["learned", "mean"] = "learned"
    kind: Literal["depthwise"] = "depthwise"

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        renames = {
            "rpn_head.cls_weight": "classification_weights",
            "rpn_head.loc_weight": "regression_weights",
        }
        for stage in self.stages:
            level = stage.removeprefix("layer")
            renames[f"neck.downsample{level}.downsample."] = f"adjust.{stage}."
            for branch, name in (("cls", "classification"), ("loc", "regression")):
                before, after = f"rpn_head.rpn{level}.{branch}.", f"levels.{stage}.{name}."
                renames[f"{before}conv_kernel."] = f"{after}template."
                renames[f"{before}conv_search."] = f"{after}search."
                renames[f"{before}head."] = f"{after}head."
        return renames

    def build(self) -> "DepthwiseRpnNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.siamrpn.depthwise import DepthwiseRpnNet

        return DepthwiseRpnNet(self)


@dataclass(frozen=True)
class UpChannelRpnConfig:
    """Sizes of SiamRPN+; the defaults are those of the published "thinner" network.

    Attributes:
        backbone: name in `alpharefine.nets.backbones.cir.CROPPED_BACKBONES`.
        channels: of the correlation; 512 in "thicker".
        scores_per_anchor: 1, a logit of the target ("thinner"), or 2, background before target
            ("thicker").
        anchors: boxes at each position.
        kind: of the correlation.

    Sources: Li et al., "SiamRPN" (CVPR 2018), section 3; Zhang and Peng (SiamDW), CVPR 2019.
    """

    backbone: str = "cir_resnet22"
    channels: int = 256
    scores_per_anchor: Literal[1, 2] = 1
    anchors: int = 5
    kind: Literal["up_channel"] = "up_channel"

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        return {
            "connect_model.template_cls.": "template_classification.",
            "connect_model.template_reg.": "template_regression.",
            "connect_model.search_cls.": "search_classification.",
            "connect_model.search_reg.": "search_regression.",
            "connect_model.adjust.": "adjust.",
            **cir_renames(self.backbone),
        }

    def build(self) -> "UpChannelRpnNet":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.siamrpn.up_channel import UpChannelRpnNet

        return UpChannelRpnNet(self)
