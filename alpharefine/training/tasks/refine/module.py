"""Alpha-Refine as a training module: crops in, losses out."""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from alpharefine.nets.backbones.stages import STAGES
from alpharefine.nets.refine.branches import branch_boxes
from alpharefine.nets.refine.network import RefineNetwork, RefineOutput
from alpharefine.training.freezing import stages_until
from alpharefine.training.interface import Batch, ParameterGroup
from alpharefine.training.metrics import Row
from alpharefine.training.module import TrainingModule, trained_groups
from alpharefine.training.tasks.refine.config import RefineLossConfig, RefineOptimConfig
from alpharefine.training.tasks.refine.metrics import RefineScores, box_iou
from alpharefine.training.tasks.refine.pictures import prediction_grid

KERNEL = "kernel"
"""Name of the reference's features in an encoded batch, beside the names of backbone stages."""


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
        frozen = stages_until(network.backbone, optim.frozen_until)
        super().__init__(network, frozen, optim.freeze_norm)
        self._losses = losses
        self._optim = optim

    def parameter_groups(self) -> list[ParameterGroup]:
        """Heads and neck, then the trained part of the backbone."""
        others = nn.ModuleList(
            part for name, part in self.network.named_children() if name != "backbone"
        )
        rates = self._optim.learning_rate, self._optim.backbone_learning_rate
        return trained_groups(zip((others, self.network.backbone), rates, strict=True))

    def validate(self, batches: Iterable[Batch]) -> Row:
        """Box and mask IoU, see `RefineScores`."""
        scores = RefineScores()
        for batch in batches:
            scores.add(batch, *self.predict(batch))
        return scores.read()

    def picture(self, batch: Batch) -> NDArray[np.uint8]:
        """See `prediction_grid`."""
        return prediction_grid(batch, *self.predict(batch))

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
            self.network_input(batch["reference"]),
            self.network_input(batch["search"]),
            batch["reference_box"],
        )
        return output

    def encode(self, batch: Batch) -> Batch:
        """The backbone's features of a batch in place of its crops, float16; without gradients.

        `forward` takes the result as well, if the backbone is frozen.
        """
        with torch.no_grad():
            images = self.network_input(batch["search"])
            references = self.network_input(batch["reference"])
            boxes = batch["reference_box"].to(self.device)
            stages = self.network.search_features(images)
            encoded = {KERNEL: self.network.reference(references, boxes), **stages}
        targets = {name: batch[name] for name in ("corners", "mask", "has_mask")}
        return {name: value.half() for name, value in encoded.items()} | targets


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
