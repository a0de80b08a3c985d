"""ATOM as a training module: its box regressor learns how much boxes overlap targets."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alpharefine.nets.atom.network import AtomNet
from alpharefine.nets.iou.box_regressor import IouFeatures
from alpharefine.training.interface import Batch, ParameterGroup
from alpharefine.training.module import TrainingModule, trained_groups
from alpharefine.training.pictures import PREDICTED, TRUTH, arrange, corners_of, draw_box
from alpharefine.training.tasks.atom.config import AtomLossConfig, AtomOptimConfig
from alpharefine.training.tasks.dimp.box_training import OverlapObjective, judge_boxes
from alpharefine.training.tasks.dimp.proposals import box_overlap


class AtomTrainingModule(TrainingModule):
    """Learns the overlap of boxes in test frames with the target of the first training frame.

    Args:
        network: the network to train; its backbone is frozen.
        losses: which boxes are drawn.
        optim: learning rate.
        train_frames: the first so many frames of a sample are training frames.

    Source: Danelljan et al. (ATOM), CVPR 2019, section 3.1.
    """

    network: AtomNet

    def __init__(
        self,
        network: AtomNet,
        losses: AtomLossConfig,
        optim: AtomOptimConfig,
        train_frames: int,
    ) -> None:
        super().__init__(network, [network.backbone], optim.freeze_norm)
        self._optim = optim
        self._train_frames = train_frames
        self._objective = OverlapObjective(
            losses.proposals, losses.proposal_sigmas, losses.least_overlap
        )

    def parameter_groups(self) -> list[ParameterGroup]:
        """See `TrainingModule`."""
        return trained_groups([(self.network.box_regressor, self._optim.box_regressor)])

    def encode(self, batch: Batch) -> Batch:
        """A batch as `forward` takes it, `images` replaced by their features, float16."""
        maps = self._maps(batch)
        return {"fine": maps.fine.half(), "coarse": maps.coarse.half(), "boxes": batch["boxes"]}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Loss and measure of a batch.

        Args:
            batch: `boxes`, B x N x 4, (x, y, w, h) in crop pixels, training frames first; and
                `images`, B x N x S x S x 3 uint8, or their features `fine` and `coarse`.

        Returns:
            `loss` (to minimize), and `best_overlap`: with the target, of the drawn box that the
            box regressor values most.
        """
        loss, chosen = self._judge(batch)
        with torch.no_grad():
            overlap = box_overlap(chosen, batch["boxes"][:, self._train_frames :]).mean()
        return {"loss": loss, "best_overlap": overlap}

    def picture(self, batch: Batch) -> NDArray[np.uint8]:
        """First training crop and first test crop of each sample, true boxes and chosen ones."""
        with torch.no_grad():
            _, chosen = self._judge(batch)
        tiles = []
        for k, images in enumerate(batch["images"]):
            first, test = (images[n].cpu().numpy().copy() for n in (0, self._train_frames))
            draw_box(first, corners_of(batch["boxes"][k, 0]), TRUTH)
            draw_box(test, corners_of(batch["boxes"][k, self._train_frames]), TRUTH)
            draw_box(test, corners_of(chosen[k, 0]), PREDICTED)
            tiles.append(np.hstack([first, test]))
        return arrange(tiles, 4)

    def _judge(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Loss, and the box of highest value in each test frame: B x T x 4."""
        boxes, count = batch["boxes"].float(), self._train_frames
        loss, drawn, values = judge_boxes(
            self.network.box_regressor, self._maps(batch), boxes, count, self._objective
        )
        best = values.argmax(1)[:, None, None].expand(-1, 1, 4)
        return loss, drawn.gather(1, best).reshape(boxes[:, count:].shape)

    def _maps(self, batch: Batch) -> IouFeatures:
        """Backbone features, B x N x C x H x W at each stride."""
        if "fine" in batch:
            return IouFeatures(batch["fine"].float(), batch["coarse"].float())
        images, (fine, coarse) = batch["images"], self.network.config.iou_stages
        with torch.no_grad():
            inputs = self.network_input(images.flatten(0, 1))
            stages = self.network.backbone(inputs, {fine, coarse})

        def split(x: Tensor) -> Tensor:
            return x.reshape(*images.shape[:2], *x.shape[1:])

        return IouFeatures(split(stages[fine]), split(stages[coarse]))
