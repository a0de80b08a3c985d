"""Alpha-Refine as a training module: crops in, losses out."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from alpharefine.errors import UsageError
from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.normalization import Normalization
from alpharefine.nets.refine.branches import branch_boxes
from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.refine.network import RefineNetwork, RefineOutput
from alpharefine.training.engine import Batch
from alpharefine.training.exports import begin_with
from alpharefine.training.freezing import stages_until
from alpharefine.training.pretrained import load_imagenet_weights
from alpharefine.training.run import TrainingModule
from alpharefine.training.tasks.refine.metrics import box_iou

KERNEL = "kernel"
"""Name of the reference's features in an encoded batch, beside the names of backbone stages."""


@dataclass(frozen=True)
class RefineLossConfig:
    """Weights of the losses.

    Attributes:
        box_weight: mean squared error of left, top, right and bottom, crop px squared.
        mask_weight: binary cross-entropy per pixel.
        dice_weight: soft Dice loss of each mask, 0..1; not in the paper, follows mask IoU.
        choice_weight: cross-entropy of a selector's choice with the branch whose box is best.

    Source: Alpha-Refine, section 3.4.
    """

    box_weight: float = 1.0
    mask_weight: float = 1000.0
    dice_weight: float = 0.0
    choice_weight: float = 10.0


@dataclass(frozen=True)
class RefineOptimConfig:
    """What is learned, and how fast.

    Attributes:
        learning_rate: of everything but the backbone.
        backbone_learning_rate: of the backbone's trained stages.
        frozen_until: last backbone stage that stays as it is; None trains all (the paper).
        freeze_norm: keep the backbone's batch statistics.
        imagenet: begin with the backbone's ImageNet weights.
        initial: registered weights, or the export of an earlier run, to begin with: all of it where
            the networks are the same, else its backbone.
        cached_samples: 0, or train a frozen backbone's features of so many pairs, kept on disk.
    """

    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-3
    frozen_until: str | None = None
    freeze_norm: bool = False
    imagenet: bool = True
    initial: str | None = None
    cached_samples: int = 0

    def __post_init__(self) -> None:
        if self.cached_samples and self.frozen_until is None:
            raise UsageError("cached_samples needs a frozen backbone: set frozen_until")


class RefineTrainingModule(TrainingModule):
    """A refinement network that takes batches of uint8 crops and gives losses.

    Args:
        network: what is trained.
        losses: their weights.
        optim: which parts stay frozen.
    """

    network: RefineNetwork

    def __init__(
        self, network: RefineNetwork, losses: RefineLossConfig, optim: RefineOptimConfig
    ) -> None:
        super().__init__()
        self.network = network
        self._losses = losses
        self._freeze_norm = optim.freeze_norm
        self._normalization = Normalization()
        self._frozen = stages_until(network.backbone, optim.frozen_until)
        for part in self._frozen:
            part.requires_grad_(False)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self._normalization.mean.device

    def train(self, mode: bool = True) -> "RefineTrainingModule":
        """Training mode, except for what is frozen."""
        super().train(mode)
        frozen = [self.network.backbone] if self._freeze_norm else self._frozen
        for part in frozen:
            part.eval()
        return self

    def predict(self, batch: Batch) -> tuple[Tensor | None, Tensor | None]:
        """Corners (N x 4, crop px) and mask logits (N x 1 x S x S), None without such a head."""
        output = self._output(batch)
        logits = None if output.mask_logits is None else output.mask_logits.float()
        return output.trusted_corners, logits

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of a batch: "loss" and its parts, unweighted.

        The parts are "box", "mask" and "dice"; with a selector also "direct", the direct branch's
        "box", and "choice".

        Args:
            batch: `reference` and `search`, N x S x S x 3 uint8; `reference_box` and `corners`,
                N x 4 float32 (x1, y1, x2, y2) in crop px; `mask`, N x 1 x S x S uint8, and
                `has_mask`, N float32: 0 where the mask is unknown.
        """
        output = self._output(batch)
        parts: dict[str, Tensor] = {}
        if output.corners is not None:
            parts["box"] = F.mse_loss(output.corners, batch["corners"])
        if output.mask_logits is not None:
            logits = output.mask_logits.float()
            parts |= mask_losses(logits, batch["mask"].float(), batch["has_mask"])
        if output.branch_logits is not None:
            parts |= selector_losses(output, batch["corners"])
        weights = {
            "box": self._losses.box_weight,
            "direct": self._losses.box_weight,
            "mask": self._losses.mask_weight,
            "dice": self._losses.dice_weight,
            "choice": self._losses.choice_weight,
        }
        total = torch.stack([weights[name] * value for name, value in parts.items()]).sum()
        return {"loss": total, **parts}

    def _output(self, batch: Batch) -> RefineOutput:
        if KERNEL in batch:
            stages = {name: value.float() for name, value in batch.items() if name in STAGES}
            height, width = batch["mask"].shape[-2:]
            return self.network.decode(stages, batch[KERNEL].float(), (height, width))
        output: RefineOutput = self.network(
            self._network_input(batch["reference"]),
            self._network_input(batch["search"]),
            batch["reference_box"],
        )
        return output

    def encode(self, batch: Batch) -> Batch:
        """The backbone's features of a batch in place of its crops, float16; without gradients.

        `forward` takes the result as well, if the backbone is frozen.
        """
        with torch.no_grad():
            images = self._network_input(batch["search"].to(self.device))
            references = self._network_input(batch["reference"].to(self.device))
            boxes = batch["reference_box"].to(self.device)
            stages = self.network.search_features(images)
            encoded = {KERNEL: self.network.reference(references, boxes), **stages}
        targets = {name: batch[name] for name in ("corners", "mask", "has_mask")}
        return {name: value.half() for name, value in encoded.items()} | targets

    def _network_input(self, crops: Tensor) -> Tensor:
        return self._normalization(crops.permute(0, 3, 1, 2).float())


def mask_losses(logits: Tensor, masks: Tensor, known: Tensor) -> dict[str, Tensor]:
    """Binary cross-entropy per pixel and soft Dice, over the samples whose mask is known.

    Args:
        logits: N x 1 x S x S.
        masks: the same shape, in {0, 1}.
        known: N, 1 where the mask is known, else 0.
    """
    count = known.sum().clamp(min=1)
    entropy = F.binary_cross_entropy_with_logits(logits, masks, reduction="none").mean((1, 2, 3))
    probability = logits.sigmoid()
    overlap = (probability * masks).sum((1, 2, 3))
    dice = 1 - (2 * overlap + 1) / (probability.sum((1, 2, 3)) + masks.sum((1, 2, 3)) + 1)
    return {"mask": (entropy * known).sum() / count, "dice": (dice * known).sum() / count}


def selector_losses(output: RefineOutput, truth: Tensor) -> dict[str, Tensor]:
    """Squared error of the direct branch, and cross-entropy with the branch of highest box IoU.

    Args:
        output: of a network with a selector.
        truth: N x 4 corners.
    """
    direct, corners, scores = output.direct, output.corners, output.branch_logits
    assert direct is not None and corners is not None and scores is not None
    with torch.no_grad():
        boxes = branch_boxes(direct, corners, output.mask_logits)
        best = torch.stack([box_iou(box, truth) for box in boxes.unbind(1)], 1).argmax(1)
    choice = F.cross_entropy(scores[:, : boxes.shape[1]].float(), best)
    return {"direct": F.mse_loss(direct, truth), "choice": choice}


def build_refine_module(
    network: RefineNetConfig, losses: RefineLossConfig, optim: RefineOptimConfig
) -> RefineTrainingModule:
    """A network to train, its backbone filled as `optim` says.

    Raises:
        UsageError: the backbone's weights are not to be had.
    """
    built = network.build()
    if optim.initial is not None:
        begin_with(built, network, optim.initial)
    elif optim.imagenet:
        load_imagenet_weights(built.backbone)
    return RefineTrainingModule(built, losses, optim)
