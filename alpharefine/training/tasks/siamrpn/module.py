"""SiamRPN++ and SiamRPN+ as training modules."""

import numpy as np
import torch
from torch import Tensor, nn

from alpharefine.nets.siamrpn.maps import RpnMaps
from alpharefine.nets.spec import NetworkConfig
from alpharefine.trackers.siamese.proposals import anchor_boxes
from alpharefine.training.interface import Batch
from alpharefine.training.metrics import Row
from alpharefine.training.tasks.refine.metrics import box_iou
from alpharefine.training.tasks.siamese.config import SiameseOptimConfig
from alpharefine.training.tasks.siamese.labels import anchor_targets, center_labels
from alpharefine.training.tasks.siamese.losses import background_loss, balanced_loss, offset_loss
from alpharefine.training.tasks.siamese.module import SiameseModule
from alpharefine.training.tasks.siamrpn.config import SiamRpnLossConfig


class SiamRpnModule(SiameseModule):
    """Learns which anchors show the target, and how they must be moved.

    Args:
        network: an `RpnNet`.
        config: what it was built from.
        losses: their weights, anchors and labels.
        optim: learning rates, and which parts of the backbone are trained when.
        search_size: side of the search crops, px.

    Sources: Li et al., "SiamRPN" (CVPR 2018), section 3.3; SiamDW (CVPR 2019).
    """

    def __init__(
        self,
        network: nn.Module,
        config: NetworkConfig,
        losses: SiamRpnLossConfig,
        optim: SiameseOptimConfig,
        search_size: int = 255,
    ) -> None:
        super().__init__(network, config, losses, optim)
        self._losses = losses
        self._middle = search_size // 2

    def losses(self, answer: RpnMaps, batch: Batch, foreign: Tensor) -> dict[str, Tensor]:
        """The "loss", its parts "scores", "boxes" and "sum", and "iou" of the best box."""
        labels, wanted = self._targets(batch, answer.offsets.shape[-1], foreign)
        losses, logits = self._losses, answer.logits
        parts = {
            "scores": (balanced_loss(self._loss, logits, labels), 1.0),
            "boxes": (offset_loss(answer.offsets, wanted, labels), losses.box_weight),
        }
        if losses.sum_weight:
            centers = center_labels(batch["displacement"].float(), logits.shape[-1])
            centers = centers * ~foreign.to(centers.device)[:, None, None]
            value = background_loss(self._loss, logits.sum(1), centers)
            parts["sum"] = value, losses.sum_weight
        total = torch.stack([value * weight for value, weight in parts.values()]).sum()
        named = {name: value for name, (value, _) in parts.items()}
        return {"loss": total, **named, "iou": self._iou(answer, batch)}

    def score(self, row: Row) -> float:
        """IoU of the best boxes."""
        return row["iou"]

    def found(self, answer: RpnMaps) -> tuple[Tensor, Tensor]:
        """See `SiameseModule`."""
        return answer.scores.amax(1), self._best_boxes(answer)

    def _targets(self, batch: Batch, cells: int, foreign: Tensor) -> tuple[Tensor, Tensor]:
        """Labels and offsets of a batch; what is drawn comes from torch's seed."""
        anchors = anchor_boxes(self._losses.anchors, cells).astype(np.float64)
        anchors[:2] += self._middle
        rng = np.random.default_rng(int(torch.randint(2**31, ()).item()))
        targets = [
            anchor_targets(box, anchors, self._losses.labels, rng, bool(is_foreign))
            for box, is_foreign in zip(
                batch["box"].double().cpu().numpy(), foreign.tolist(), strict=True
            )
        ]
        labels, offsets = (np.stack(arrays) for arrays in zip(*targets, strict=True))
        return torch.from_numpy(labels).to(self.device), torch.from_numpy(offsets).to(self.device)

    def _iou(self, answer: RpnMaps, batch: Batch) -> Tensor:
        with torch.no_grad():
            return box_iou(self._best_boxes(answer), batch["box"].float()).mean()

    def _best_boxes(self, answer: RpnMaps) -> Tensor:
        """N x 4 corners of the boxes with the highest scores."""
        scores, offsets = answer.scores, answer.offsets
        best = scores.flatten(1).argmax(1)[:, None, None].expand(-1, 4, 1)
        known = anchor_boxes(self._losses.anchors, scores.shape[-1])
        anchors = torch.from_numpy(known.copy()).to(offsets).flatten(1).expand(len(scores), 4, -1)
        dx, anchor = (x.flatten(2).gather(2, best)[..., 0] for x in (offsets, anchors))
        centers = dx[:, :2] * anchor[:, 2:] + anchor[:, :2] + self._middle
        sizes = dx[:, 2:].clamp(max=4).exp() * anchor[:, 2:]
        return torch.cat([centers - sizes / 2, centers + sizes / 2], 1)
