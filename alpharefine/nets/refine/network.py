"""The refinement network: a kernel from the reference crop, box and mask from the search crop."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, assert_never

from torch import Tensor, nn

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.build import Backbone, build_backbone
from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.refine.box_heads import DenseBoxHead, PooledBoxHead
from alpharefine.nets.refine.branches import BranchSelector, trusted_box
from alpharefine.nets.refine.config import FEATURE_STRIDE, RefineNetConfig
from alpharefine.nets.refine.corner_head import CornerHead
from alpharefine.nets.refine.fpn_head import FPNMaskHead
from alpharefine.nets.refine.frtm_head import FRTMMaskHead
from alpharefine.nets.refine.neck import FusionNeck
from alpharefine.nets.refine.pyramid_head import PyramidMaskHead, resize
from alpharefine.ops.prroi import prroi_pool_boxes

FEATURE_STAGE = "layer3"
_LATERAL_STAGES = {
    "pyramid": ("conv1", "layer1", "layer2"),
    "frtm": ("layer1", "layer2", "layer3", "layer4"),
    "fpn": ("layer1", "layer2", "layer3"),
    None: (),
}


class RefineOutput(NamedTuple):
    """Answer for N search crops of side S; None for what was not asked for.

    Attributes:
        corners: N x 4 float32, (x1, y1, x2, y2) in crop pixels; nothing orders them.
        corner_logits: N x 2 x S/16 x S/16, the heat maps' logits (top-left, bottom-right); of the
            corner head alone.
        mask_logits: N x 1 x S x S; their sigmoid is the probability of the target.
        direct: N x 4, as `corners`, of the pooled head that a selector has beside it.
        branch_logits: N x 3, trust in `direct`, `corners` and the mask, where there is a selector.
    """

    corners: Tensor | None
    corner_logits: Tensor | None
    mask_logits: Tensor | None
    direct: Tensor | None = None
    branch_logits: Tensor | None = None

    @property
    def trusted_corners(self) -> Tensor | None:
        """`corners`, or the box of the branch that a selector trusts."""
        if self.branch_logits is None or self.direct is None or self.corners is None:
            return self.corners
        return trusted_box(self.branch_logits, self.direct, self.corners, self.mask_logits)


class RefineNetwork(nn.Module):
    """Alpha-Refine network of any configuration, built as configured.

    Inputs are RGB, ImageNet-normalized. Stages and layers that nothing reads are not built.

    Args:
        config: what to build.

    Example:
        >>> import torch
        >>> network = RefineNetConfig(backbone="resnet18").build().eval()
        >>> kernel = network.reference(torch.zeros(1, 3, 256, 256))
        >>> network.search(torch.zeros(1, 3, 256, 256), kernel, {"box"}).corners.shape
        torch.Size([1, 4])
    """

    def __init__(self, config: RefineNetConfig) -> None:
        super().__init__()
        self.config = config
        self._lateral_stages = _LATERAL_STAGES[config.mask_head]
        last_stage = max((FEATURE_STAGE, *self._lateral_stages), key=STAGES.index)
        self.backbone: Backbone = build_backbone(config.backbone, last_stage)
        self.neck = FusionNeck(
            config.correlation,
            self._correlation_channels(),
            config.fusion_widths,
            config.squeeze_reduction,
            config.non_local,
        )
        self._build_box_branch()
        self._build_mask_branch()

    def _correlation_channels(self) -> int:
        match self.config.correlation:
            case "pixelwise":
                return self.config.kernel_size**2
            case "depthwise":
                return self.backbone.channels[FEATURE_STAGE]
            case "naive":
                return 1
            case unknown:
                assert_never(unknown)

    def _build_box_branch(self) -> None:
        config, fused = self.config, self.neck.channels
        match config.box_head:
            case "corner":
                self.corner_head = CornerHead(fused, config.corner_widths, FEATURE_STRIDE)
            case "rpn":
                self.box_head: nn.Module = DenseBoxHead(fused, config.corner_widths, FEATURE_STRIDE)
            case "rcnn":
                self.box_head = PooledBoxHead(fused, config.corner_widths, FEATURE_STRIDE)
            case None:
                pass
            case unknown:
                assert_never(unknown)
        if config.selector:
            self.direct_head = PooledBoxHead(fused, config.corner_widths, FEATURE_STRIDE)
            self.selector = BranchSelector(fused)

    def _build_mask_branch(self) -> None:
        config, fused = self.config, self.neck.channels
        stages = [self.backbone.channels[stage] for stage in self._lateral_stages]
        match config.mask_head:
            case "pyramid":
                widths = PyramidMaskHead.lateral_channels(config.pyramid_widths)
                self.lateral = nn.ModuleList(map(_lateral, stages, widths))
                self.mask_head: nn.Module = PyramidMaskHead(fused, config.pyramid_widths)
            case "frtm":
                self.mask_head = FRTMMaskHead(fused, stages, config.frtm_width)
            case "fpn":
                self.mask_head = FPNMaskHead(fused, stages, config.fpn_widths)
            case None:
                pass
            case unknown:
                assert_never(unknown)

    def reference(self, images: Tensor, boxes: Tensor | None = None) -> Tensor:
        """Kernel of the target in each reference crop.

        Args:
            images: N x 3 x S x S.
            boxes: N x 4 corners (x1, y1, x2, y2) in crop pixels, float32; needed and read only
                where the configuration's kernel is "roi".

        Returns:
            N x C x S/32 x S/32.

        Raises:
            UsageError: `boxes` is missing.
        """
        features: Tensor = self.backbone(images, (FEATURE_STAGE,))[FEATURE_STAGE]
        size = self.config.kernel_size
        if self.config.kernel == "center":
            top, left = (features.shape[2] - size) // 2, (features.shape[3] - size) // 2
            return features[..., top : top + size, left : left + size]
        if boxes is None:
            raise UsageError("this refinement network pools its kernel: give the reference boxes")
        return prroi_pool_boxes(features, boxes[:, None], (size, size), 1 / FEATURE_STRIDE)[:, 0]

    def search(
        self, images: Tensor, kernel: Tensor, outputs: Collection[str] | None = None
    ) -> RefineOutput:
        """Refined box and mask in each search crop, from one pass of the backbone.

        Args:
            images: N x 3 x S x S.
            kernel: what `reference` returned; one for each image, or one for all.
            outputs: "box", "mask" or both; None is all that this network has.

        Raises:
            UsageError: the network has no head for one of `outputs`.
        """
        wanted = frozenset(self.config.outputs if outputs is None else outputs)
        if not wanted <= self.config.outputs:
            missing = ", ".join(sorted(wanted - self.config.outputs))
            raise UsageError(f"this refinement network has no output {missing}")
        height, width = images.shape[-2:]
        return self.decode(self.search_features(images, wanted), kernel, (height, width), wanted)

    def search_features(
        self, images: Tensor, outputs: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """The backbone's stages that `decode` reads, by name; arguments as of `search`."""
        wanted = self.config.outputs if outputs is None else outputs
        stages = {FEATURE_STAGE, *(self._lateral_stages if "mask" in wanted else ())}
        features: dict[str, Tensor] = self.backbone(images, stages)
        return features

    def decode(
        self,
        features: Mapping[str, Tensor],
        kernel: Tensor,
        size: tuple[int, int],
        outputs: Collection[str] | None = None,
    ) -> RefineOutput:
        """Refined box and mask from backbone features.

        Args:
            features: from `search_features`.
            kernel: as of `search`.
            size: rows and columns of the search crop, px.
            outputs: as of `search`.
        """
        wanted = self.config.outputs if outputs is None else outputs
        fused = self.neck(kernel, features[FEATURE_STAGE])
        output = self._boxes(fused) if "box" in wanted else RefineOutput(None, None, None)
        if "mask" in wanted:
            laterals = [features[stage] for stage in self._lateral_stages]
            logits = resize(self._mask_logits(fused, laterals), size)
            output = output._replace(mask_logits=logits)
        return output

    def forward(
        self,
        reference_images: Tensor,
        search_images: Tensor,
        boxes: Tensor | None = None,
        outputs: Collection[str] | None = None,
    ) -> RefineOutput:
        """`reference`, then `search`: one training step's forward pass."""
        return self.search(search_images, self.reference(reference_images, boxes), outputs)

    def _boxes(self, fused: Tensor) -> RefineOutput:
        """What the box head answers, and the selector with it."""
        if self.config.box_head != "corner":
            return RefineOutput(self.box_head(fused), None, None)
        corners, logits = self.corner_head(fused)
        if not self.config.selector:
            return RefineOutput(corners, logits, None)
        return RefineOutput(corners, logits, None, self.direct_head(fused), self.selector(fused))

    def _mask_logits(self, fused: Tensor, stages: list[Tensor]) -> Tensor:
        if self.config.mask_head == "pyramid":
            stages = [adjust(stage) for adjust, stage in zip(self.lateral, stages, strict=True)]
        logits: Tensor = self.mask_head(fused, stages)
        return logits


def _lateral(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels), nn.ReLU()
    )
