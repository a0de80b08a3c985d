"""RT-MDNet as a training module: domains with a layer of their own behind layers that all share."""

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from alpharefine.nets.mdnet.network import PyramidMdNet
from alpharefine.ops.roi_sampling import adaptive_roi
from alpharefine.training.interface import Batch, ParameterGroup
from alpharefine.training.metrics import Mean, Row
from alpharefine.training.module import TrainingModule, trained_groups
from alpharefine.training.pictures import PREDICTED, TRUTH, arrange, corners_of, draw_box
from alpharefine.training.tasks.rtmdnet.boxes import DrawnBoxes, draw_around
from alpharefine.training.tasks.rtmdnet.config import RtMdNetLossConfig, RtMdNetOptimConfig

_PADDING = 1.2
"""Factor of boxes' sides, as in `alpharefine.trackers.rtmdnet.config.SceneConfig`."""
_RIDGE = 1.0
"""Weight of the squares of the layer that a held-out domain learns."""


class Branches(nn.Module):
    """The last layer of each domain: scores of background and target."""

    def __init__(self, domains: int, hidden: int) -> None:
        super().__init__()
        bound = hidden**-0.5
        self.weight = nn.Parameter(torch.empty(domains, 2, hidden).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(domains, 2))

    def forward(self, hidden: Tensor, domains: Tensor) -> Tensor:
        """B x N x H of B domains -> B x N x 2."""
        return torch.baddbmm(self.bias[domains, None], hidden, self.weight[domains].mT)

    def target_scores(self, hidden: Tensor, domains: Tensor) -> Tensor:
        """N x H -> N x B: scores of the target in each of B domains."""
        return F.linear(hidden, self.weight[domains, 1], self.bias[domains, 1])


class RtMdNetModule(TrainingModule):
    """Learns features in which a single layer tells each clip's target from what is around it.

    Args:
        network: to train; its backbone is frozen.
        losses: boxes and weights.
        optim: learning rates and number of domains.
        train_frames: frames from which a held-out domain learns.

    Source: Jung et al. (RT-MDNet), ECCV 2018, sections 3.3 (instance embedding) and 4.1.
    """

    network: PyramidMdNet

    def __init__(
        self,
        network: PyramidMdNet,
        losses: RtMdNetLossConfig,
        optim: RtMdNetOptimConfig,
        train_frames: int,
    ) -> None:
        super().__init__(network, [network.backbone], optim.freeze_norm)
        self._config = losses
        self._optim = optim
        self._train_frames = train_frames
        self.branches = Branches(optim.cached_samples, network.config.hidden)

    def parameter_groups(self) -> list[ParameterGroup]:
        """See `TrainingModule`."""
        network, optim = self.network, self._optim
        return trained_groups(
            (
                (network.lateral, optim.shared),
                (network.fc4, optim.shared),
                (network.fc5, optim.shared),
                (self.branches, optim.branch),
            )
        )

    def encode(self, batch: Batch) -> Batch:
        """The backbone's stages in the place of the images, float16."""
        images = batch["images"]
        stages = self._stages(images)
        encoded = {
            name: x.half().reshape(*images.shape[:2], *x.shape[1:]) for name, x in stages.items()
        }
        return {**encoded, "boxes": batch["boxes"]}

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of a batch.

        Args:
            batch: `number` of each domain (B); `boxes`, B x F x 4, (x, y, w, h) of the targets in
                crop px; and the backbone's stages, B x F x C x h x w.

        Returns:
            Scalars: `loss` (to minimize), its parts `binary` and `embedding`, and `accuracy` of the
            drawn boxes.
        """
        drawn, hidden = self._hidden(batch, None)
        domains, sequences = batch["number"], len(batch["boxes"])
        scores = self.branches(hidden.reshape(sequences, -1, hidden.shape[-1]), domains)
        scores = scores.reshape(-1, 2).float()
        positive, negative = drawn.positive.flatten(), drawn.negative.flatten()
        kept = positive | negative
        binary = F.cross_entropy(scores[kept], positive[kept].long())
        embedding = self._embedding_loss(hidden, positive, domains)
        right = (scores.argmax(1)[kept] == positive[kept].long()).float().mean()
        loss = binary + self._config.embedding_weight * embedding
        return {"loss": loss, "binary": binary, "embedding": embedding, "accuracy": right}

    def validate(self, batches: Iterable[Batch]) -> Row:
        """`auc` of held-out domains, which is the score, and their `accuracy`.

        Each learns its own layer, a ridge regression, from its first frames and is judged by the
        others: the share of pairs of a target's box and a background's in which the first one has
        the higher score.
        """
        means = Mean()
        with torch.no_grad():
            for batch in batches:
                drawn, values = self._adapted(batch)
                means.add(_judge(drawn, values, self._train_frames))
        row = means.read()
        return {**row, "score": row["auc"]}

    def picture(self, batch: Batch) -> NDArray[np.uint8]:
        """The last crop of each clip, with the true box and the drawn one of the highest score."""
        with torch.no_grad():
            drawn, values = self._adapted(batch)
        best = values[:, -1].argmax(1)
        tiles = []
        for k, image in enumerate(batch["images"][:, -1]):
            tile = image.cpu().numpy().copy()
            found = drawn.boxes.reshape(*values.shape, 4)[k, -1, best[k]]
            draw_box(tile, corners_of(batch["boxes"][k, -1]), TRUTH)
            draw_box(tile, corners_of(found), PREDICTED)
            tiles.append(tile)
        return arrange(tiles, 4)

    def _stages(self, images: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            inputs = self.network_input(images.flatten(0, 1))
            stages: dict[str, Tensor] = self.network.backbone(inputs, self.network.STAGES)
            return stages

    def _hidden(self, batch: Batch, generator: torch.Generator | None) -> tuple[DrawnBoxes, Tensor]:
        """Boxes of all frames, and what the shared layers make of them: (B F K) x H."""
        network = self.network
        if "images" in batch:
            stages = self._stages(batch["images"])
        else:
            stages = {name: batch[name].flatten(0, 1).float() for name in network.STAGES}
        maps = network.join(stages)
        drawn = draw_around(batch["boxes"].flatten(0, 1).float(), self._config, generator)
        margin = drawn.boxes[..., 2:] * ((_PADDING - 1) / 2)
        low = drawn.boxes[..., :2] - margin
        high = drawn.boxes[..., :2] + drawn.boxes[..., 2:] + margin
        count = drawn.boxes.shape[1]
        numbers = torch.arange(len(maps), device=maps.device).repeat_interleave(count)[:, None]
        corners = torch.cat([low, torch.maximum(low + 1, high)], -1).flatten(0, 1)
        rois = torch.cat([numbers.to(corners), corners], 1)
        pooled = adaptive_roi(maps.float(), rois, 1 / network.stride, network.roi_cells)
        hidden: Tensor = network.fc5(network.fc4(pooled))
        return drawn, hidden

    def _embedding_loss(self, hidden: Tensor, positive: Tensor, domains: Tensor) -> Tensor:
        """Targets must score higher in their own domain than in the batch's others."""
        own = torch.arange(len(domains), device=hidden.device)
        own = own.repeat_interleave(len(positive) // len(domains))[positive]
        scores = self.branches.target_scores(hidden[positive], domains)
        return F.cross_entropy(scores.float(), own)

    def _adapted(self, batch: Batch) -> tuple[DrawnBoxes, Tensor]:
        """Boxes, and scores B x F x K of layers learned from each clip's first frames."""
        drawn, hidden = self._hidden(batch, torch.Generator().manual_seed(0))
        clips, frames = batch["boxes"].shape[:2]
        shape = (clips, frames, drawn.boxes.shape[1])
        first = slice(self._train_frames)
        hidden = F.pad(hidden.float(), (0, 1), value=1.0).reshape(*shape, -1)
        learned = hidden[:, first].flatten(1, 2)
        positive = drawn.positive.reshape(shape)[:, first].flatten(1).float()
        negative = drawn.negative.reshape(shape)[:, first].flatten(1).float()
        weight = positive / positive.sum(1, True).clamp_min(1)
        weight = weight + negative / negative.sum(1, True).clamp_min(1)
        wanted = weight * (positive - negative)
        gram = learned.mT @ (weight[..., None] * learned)
        scale = gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * (_RIDGE / len(learned[0]))
        gram = gram + scale * torch.eye(gram.shape[-1], device=gram.device)
        layer = torch.linalg.solve(gram, learned.mT @ wanted[..., None])
        return drawn, torch.einsum("bfkc,bc->bfk", hidden, layer[..., 0])


def _judge(drawn: DrawnBoxes, values: Tensor, train_frames: int) -> dict[str, Tensor]:
    """Measures of the frames that nothing was learned from."""
    tested = values[:, train_frames:].flatten(1)
    positive = drawn.positive.reshape(values.shape)[:, train_frames:].flatten(1)
    negative = drawn.negative.reshape(values.shape)[:, train_frames:].flatten(1)
    pairs = positive[:, :, None] & negative[:, None]
    ordered = (tested[:, :, None] > tested[:, None]) & pairs
    kept = positive | negative
    right = ((tested > 0) == positive) & kept
    return {
        "auc": ordered.sum().double() / pairs.sum().clamp_min(1),
        "accuracy": right.sum().double() / kept.sum().clamp_min(1),
    }
