"""Training samples of the online filter and their weights."""

import copy

import numpy as np
import torch
from torch import Tensor

from alpharefine.trackers.online.config import MemoryConfig


class SampleMemory:
    """A fixed number of samples, of which the lightest goes; the first frame's can stay.

    Attributes:
        targets: capacity x ..., what is to be learned of each sample, a box or a score map.
        weights: capacity, float32.
        stored: samples inserted so far, may exceed the capacity.

    Source: Danelljan et al. (ECO), CVPR 2017, exponential sample weights; Bhat et al. (DiMP).
    """

    def __init__(self, features: Tensor, targets: Tensor, config: MemoryConfig) -> None:
        """Start with the first frame's samples: N x C x H x W and N x ..., equal weights."""
        self._config = config
        self.initial = features.shape[0]
        self.stored = self.initial
        capacity = config.capacity
        self._features = features.new_zeros(capacity, *features.shape[1:])
        self._features[: self.initial] = features
        self.targets = targets.new_zeros(capacity, *targets.shape[1:])
        self.targets[: self.initial] = targets
        self.weights = np.zeros(capacity, np.float32)
        self.weights[: self.initial] = np.float32(1) / np.float32(self.initial)
        self._previous: int | None = None

    def insert(self, feature: Tensor, target: Tensor, learning_rate: float) -> int:
        """Store one sample (1 x C x H x W and its target) and return its slot."""
        slot = self._make_room(learning_rate)
        self._features[slot] = feature[0]
        self.targets[slot] = target
        return slot

    def samples(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features N x C x H x W, targets N x ... and weights N of what is stored."""
        count = min(self.stored, self._config.capacity)
        weights = torch.from_numpy(self.weights[:count]).to(self.targets)
        return self._features[:count], self.targets[:count], weights

    def snapshot(self) -> "SampleMemory":
        """A memory with the same samples and weights; it shares the samples' storage."""
        snapshot = copy.copy(self)
        snapshot.weights = self.weights.copy()
        return snapshot

    def to(self, device: torch.device) -> "SampleMemory":
        """A snapshot whose samples are on a device."""
        moved = self.snapshot()
        moved._features, moved.targets = self._features.to(device), self.targets.to(device)
        return moved

    def _make_room(self, learning_rate: float) -> int:
        """Choose a slot and move the weights on."""
        if self.stored < self._config.capacity:
            slot = self.stored
        else:
            first = self.initial if self._config.keep_initial else 0
            slot = first + int(self.weights[first:].argmin())
        rate = np.float32(1 - learning_rate)
        if self._previous is None:
            self.weights /= rate
            self.weights[slot] = learning_rate
        else:
            self.weights[slot] = self.weights[self._previous] / rate
        self.weights /= self.weights.sum()
        self._keep_initial_weight()
        self._previous = slot
        self.stored += 1
        return slot

    def _keep_initial_weight(self) -> None:
        minimum = np.float32(self._config.init_samples_minimum_weight)
        if self.weights[: self.initial].sum() < minimum:
            self.weights /= minimum + self.weights[self.initial :].sum()
            self.weights[: self.initial] = minimum / np.float32(self.initial)
