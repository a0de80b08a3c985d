"""What a refinement network is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from alpharefine.errors import UsageError

if TYPE_CHECKING:
    from alpharefine.nets.refine.network import RefineNetwork

FEATURE_STRIDE = 16
"""Crop pixels per cell of the features that are correlated (backbone stage layer3)."""


@dataclass(frozen=True)
class RefineNetConfig:
    """Architecture of a `RefineNetwork`; the defaults are CVPR 2021's with ResNet-34.

    Attributes:
        backbone: name for `alpharefine.nets.backbones.build_backbone`.
        input_size: side of the square crops, px; a multiple of 32. Features are
            input_size / 16 cells wide, the kernel is input_size / 32 (the target, in a crop of
            twice its sides).
        kernel: "center" takes the kernel from the middle of the reference features, "roi" pools
            the reference box precisely (VOT2020).
        correlation: "pixelwise" (official), "depthwise" or "naive".
        fusion_widths: channels of the 1 x 1 convolutions behind the correlation.
        squeeze_reduction: squeeze-excite reduction.
        non_local: self-attention behind the squeeze-excite (VOT2020).
        box_head: "corner", "rpn" (distances at every cell), "rcnn" (pooled coordinates) or None.
        corner_widths: channels of the box head's 3 x 3 convolutions, each tower alike.
        selector: beside the corner head a pooled one, and a choice of the branch to trust: direct,
            corner or mask (arXiv 2007.02024).
        mask_head: "pyramid" (SiamMask style), "frtm" (VOT2020), "fpn" (light) or None.
        pyramid_widths: channels inside the pyramid head, coarse to fine; its lateral maps and
            first convolutions are 16 and 4 times as wide.
        frtm_width: channels of the frtm head.
        fpn_widths: channels of the fpn head, deepest stage first.

    Raises:
        UsageError: `input_size` is not a multiple of 32, there is no head at all, or `selector`
            lacks the corner and mask heads it chooses from.

    Source: Yan et al., "Alpha-Refine" (CVPR 2021), section 3; the authors' VOT2020 entry.
    """

    backbone: str = "resnet34"
    input_size: int = 256
    kernel: Literal["center", "roi"] = "center"
    correlation: Literal["pixelwise", "depthwise", "naive"] = "pixelwise"
    fusion_widths: tuple[int, ...] = (128, 128, 64)
    squeeze_reduction: int = 4
    non_local: bool = False
    box_head: Literal["corner", "rpn", "rcnn"] | None = "corner"
    corner_widths: tuple[int, ...] = (256, 128, 64, 32)
    selector: bool = False
    mask_head: Literal["pyramid", "frtm", "fpn"] | None = "pyramid"
    pyramid_widths: tuple[int, int, int] = (32, 16, 4)
    frtm_width: int = 64
    fpn_widths: tuple[int, int, int] = (64, 48, 32)

    def __post_init__(self) -> None:
        if self.input_size <= 0 or self.input_size % 32:
            raise UsageError(f"input_size is {self.input_size}; it must be a multiple of 32")
        if self.box_head is None and self.mask_head is None:
            raise UsageError("a refinement network needs box_head or mask_head")
        if self.selector and (self.box_head != "corner" or self.mask_head is None):
            raise UsageError('selector needs box_head = "corner" and a mask_head')

    @property
    def kernel_size(self) -> int:
        """Side of the kernel, feature cells."""
        return self.input_size // (2 * FEATURE_STRIDE)

    @property
    def outputs(self) -> frozenset[str]:
        """What the network can answer: "box", "mask" or both."""
        heads = {"box": self.box_head, "mask": self.mask_head}
        return frozenset(name for name, head in heads.items() if head is not None)

    @property
    def renames(self) -> Mapping[str, str]:
        """See `alpharefine.nets.spec.NetworkConfig`."""
        renames = {"feature_extractor.": "backbone.", "feat_adjust.": "lateral."}
        # The VOT2020 entry's name of its mask head.
        return {**renames, "refiner.": "mask_head."} if self.mask_head == "frtm" else renames

    def build(self) -> "RefineNetwork":
        """See `alpharefine.nets.spec.NetworkConfig`."""
        from alpharefine.nets.refine.network import RefineNetwork

        return RefineNetwork(self)
