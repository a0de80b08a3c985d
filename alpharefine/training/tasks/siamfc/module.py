"""SiamFC+ as a training module."""

import torch
from torch import Tensor, nn

from alpharefine.nets.spec import NetworkConfig
from alpharefine.training.interface import Batch
from alpharefine.training.metrics import Row
from alpharefine.training.tasks.siamese.config import SiameseOptimConfig
from alpharefine.training.tasks.siamese.labels import center_labels
from alpharefine.training.tasks.siamese.losses import balanced_loss
from alpharefine.training.tasks.siamese.module import SiameseModule
from alpharefine.training.tasks.siamfc.config import SiamFcLossConfig

_STRIDE = 8


class SiamFcModule(SiameseModule):
    """Learns scores that are high at the target's place.

    Args:
        network: a `SiamFcNet`.
        config: what it was built from.
        losses: what is minimized.
        optim: learning rates, and which parts of the backbone are trained when.

    Sources: Bertinetto et al., "SiamFC" (ECCVW 2016), section 2.2; SiamDW (CVPR 2019).
    """

    def __init__(
        self,
        network: nn.Module,
        config: NetworkConfig,
        losses: SiamFcLossConfig,
        optim: SiameseOptimConfig,
    ) -> None:
        super().__init__(network, config, losses, optim)
        self._rounding = losses.label_rounding

    def losses(self, answer: Tensor, batch: Batch, foreign: Tensor) -> dict[str, Tensor]:
        """The "loss", and "peak_distance": cells from the highest score to the target."""
        scores, displacement = answer[:, 0].float(), batch["displacement"].float()
        labels = center_labels(displacement, scores.shape[-1], _STRIDE, self._rounding)
        labels = labels * ~foreign.to(labels.device)[:, None, None]
        loss = balanced_loss(self._loss, scores, labels)
        return {"loss": loss, "peak_distance": _peak_distance(scores.detach(), displacement)}

    def score(self, row: Row) -> float:
        """Minus the distance of the peaks."""
        return -row["peak_distance"]

    def found(self, answer: Tensor) -> tuple[Tensor, None]:
        """See `SiameseModule`."""
        return answer[:, 0].float().sigmoid(), None


def _peak_distance(scores: Tensor, displacement: Tensor) -> Tensor:
    cells = scores.shape[-1]
    peaks = scores.flatten(1).argmax(1)
    places = torch.stack([peaks % cells, peaks // cells], 1) - cells // 2
    return (places - displacement / _STRIDE).norm(dim=1).mean()
