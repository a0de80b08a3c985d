"""RT-MDNet's classifier of regions: three layers that go on being trained in the video."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from alpharefine.trackers.rtmdnet.config import TrainingConfig
from alpharefine.trackers.rtmdnet.samples import SampleDraws

Parameters = tuple[Tensor, ...]
"""Weight and bias of each layer, in turn."""

_OWN_RATE = 10.0
"""Of the video's own layer."""
_KEPT = 0.5
"""Share of the units that dropout keeps."""


def first_branch(units: int, seed: int) -> tuple[Tensor, Tensor]:
    """Weight and bias of the video's own layer before any training, as torch begins layers."""
    generator = torch.Generator().manual_seed(seed)
    bound = units**-0.5
    weight = torch.empty(2, units).uniform_(-bound, bound, generator=generator)
    return weight, torch.empty(2).uniform_(-bound, bound, generator=generator)


@dataclass(frozen=True)
class Classifier:
    """The layers; a training makes others.

    Attributes:
        parameters: of the two shared layers and of the video's own.
    """

    parameters: Parameters

    def scores(self, features: Tensor) -> Tensor:
        """Scores of regions, N x C -> N x 2, of background and of target."""
        w4, b4, w5, b5, w6, b6 = self.parameters
        hidden = F.linear(F.linear(features, w4, b4).relu(), w5, b5).relu()
        return F.linear(hidden, w6, b6)

    def to(self, device: torch.device) -> "Classifier":
        """The same on a device."""
        return Classifier(tuple(p.to(device) for p in self.parameters))

    @property
    def is_finite(self) -> bool:
        """No parameter has become infinite or none."""
        return all(bool(p.isfinite().all()) for p in self.parameters)


@dataclass(frozen=True)
class Rows:
    """Features that a step learns from, and which units dropout keeps of them."""

    features: Tensor
    keep: tuple[Tensor, Tensor]


def _loss_and_gradient(
    classifier: Classifier, rows: Rows, positives: int
) -> tuple[float, Parameters]:
    """Mean cross-entropy, of which the first rows are the target's, and its gradient."""
    w4, b4, w5, b5, w6, b6 = classifier.parameters
    x, (keep4, keep5) = rows.features, rows.keep
    first = F.linear(x, w4, b4).relu()
    dropped4 = first * keep4
    second = F.linear(dropped4, w5, b5).relu()
    dropped5 = second * keep5
    scores = F.linear(dropped5, w6, b6)
    label = torch.zeros(len(x), dtype=torch.long, device=x.device)
    label[:positives] = 1
    loss = F.cross_entropy(scores, label)
    of_scores = (scores.softmax(1) - F.one_hot(label, 2)) / len(x)
    of_second = (of_scores @ w6) * keep5 * (second > 0)
    of_first = (of_second @ w5) * keep4 * (first > 0)
    gradient = (
        of_first.T @ x,
        of_first.sum(0),
        of_second.T @ dropped4,
        of_second.sum(0),
        of_scores.T @ dropped5,
        of_scores.sum(0),
    )
    return float(loss), gradient


class Trainer:
    """Gradient descent with momentum, on hard negatives.

    Args:
        config: of the descent.
        draws: of rows and of dropout.

    Attributes:
        velocities: of the parameters, kept from one training to the next.
        losses: of the last training's steps, before each.

    Source: Nam and Han (MDNet), CVPR 2016, section 4.1, hard minibatch mining.
    """

    def __init__(self, config: TrainingConfig, draws: SampleDraws) -> None:
        self.config = config
        self._draws = draws
        self.velocities: Parameters | None = None
        self.losses: list[float] = []

    def train(self, classifier: Classifier, positive: Tensor, negative: Tensor) -> Classifier:
        """The classifier after a training.

        Args:
            classifier: to begin with.
            positive: features of the target, N x C, at least one.
            negative: of what is around it, M x C.
        """
        config = self.config
        # Both orders begin before either is filled up: that decides about all draws to come.
        chosen, mined = _Order(positive, self._draws), _Order(negative, self._draws)
        chosen.fill(config.positives * config.iterations)
        mined.fill(config.candidates * config.iterations)
        self.losses = []
        for step in range(config.iterations):
            hard = self._hardest(classifier, mined.rows(step, config.candidates))
            classifier = self._step(classifier, chosen.rows(step, config.positives), hard)
        return classifier

    def _hardest(self, classifier: Classifier, candidates: Tensor) -> Tensor:
        """Negatives that look most like the target, in the order of their scores."""
        scores = classifier.scores(candidates)[:, 1]
        return candidates[scores.topk(min(self.config.negatives, len(scores))).indices]

    def _step(self, classifier: Classifier, positive: Tensor, negative: Tensor) -> Classifier:
        config = self.config
        units = len(classifier.parameters[1])
        masks = [self._masks(len(rows), units, rows.device) for rows in (positive, negative)]
        keep = (torch.cat([m[0] for m in masks]), torch.cat([m[1] for m in masks]))
        rows = Rows(torch.cat([positive, negative]), keep)
        loss, gradient = _loss_and_gradient(classifier, rows, len(positive))
        self.losses.append(loss)
        norm = float(torch.stack([g.norm() for g in gradient]).norm())
        share = min(config.largest_gradient / (norm + 1e-6), 1.0)
        parameters = classifier.parameters
        slopes = tuple(
            g * share + config.weight_decay * p for g, p in zip(gradient, parameters, strict=True)
        )
        if self.velocities is not None:
            slopes = tuple(
                config.momentum * v + s for v, s in zip(self.velocities, slopes, strict=True)
            )
        self.velocities = slopes
        rates = [config.learning_rate] * 4 + [config.learning_rate * _OWN_RATE] * 2
        return Classifier(
            tuple(p - r * v for p, r, v in zip(parameters, rates, slopes, strict=True))
        )

    def _masks(self, rows: int, units: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Factors of the units of both layers: those that are kept count more."""
        first, second = (
            torch.empty(rows, units).bernoulli_(_KEPT, generator=self._draws.dropped) / _KEPT
            for _ in range(2)
        )
        return first.to(device), second.to(device)


class _Order:
    """Rows in random order, all once before one comes again."""

    def __init__(self, features: Tensor, draws: SampleDraws) -> None:
        self._features, self._draws = features, draws
        self._numbers = draws.places.permutation(len(features))

    def fill(self, count: int) -> None:
        """Let there be so many, if there are any."""
        while 0 < len(self._numbers) < count:
            more = self._draws.places.permutation(len(self._features))
            self._numbers = np.concatenate([self._numbers, more])

    def rows(self, step: int, count: int) -> Tensor:
        """Those of a step, `count` of each."""
        numbers = torch.from_numpy(self._numbers[step * count : (step + 1) * count])
        return self._features[numbers.to(self._features.device)]
