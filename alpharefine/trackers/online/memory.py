"""Training samples of the online filter and their weights."""

import copy

import numpy as np
import torch
from torch import Tensor

from alpharefine.trackers.online.config import MemoryConfig


class SampleMemory:
    """A fixed number of samples; the first frame's stay, of the others the lightest goes.

    Attributes:
        boxes: capacity x 4, (x, y, w, h) in sample pixels.
        weights: capacity, float32.
        stored: samples inserted so far, may exceed the capacity.

    Source: Danelljan et al. (ECO), CVPR 2017, exponential sample weights; Bhat et al. (DiMP).
    """

    def __init__(self, features: Tensor, boxes: Tensor, config: MemoryConfig) -> None:
        """Start with the first frame's samples: N x C x H x W and N x 4, equal weights."""
        self._config = config
        self.initial = features.shape[0]
        self.stored = self.initial
        capacity = config.capacity
        self._features = features.new_zeros(capacity, *features.shape[1:])
        self._features[: self.initial] = features
        self.boxes = boxes.new_zeros(capacity, 4)
        self.boxes[: self.initial] = boxes
        self.weights = np.zeros(capacity, np.float32)
        self.weights[: self.initial] = np.float32(1) / np.float32(self.initial)
        self._previous: int | None = None

    def insert(self, feature: Tensor, box: Tensor, learning_rate: float) -> int:
        """Store one sample (1 x C x H x W and 4 numbers) and return its slot."""
        slot = self._make_room(learning_rate)
        self._features[slot] = feature[0]
        self.boxes[slot] = box
        return slot

    def samples(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features N x C x H x W, boxes N x 4 and weights N of what is stored."""
        count = min(self.stored, self._config.capacity)
        weights = torch.from_numpy(self.weights[:count]).to(self.boxes)
        return self._features[:count], self.boxes[:count], weights

    def snapshot(self) -> "SampleMemory":
        """A memory with the same samples and weights; it shares the samples' storage."""
        snapshot = copy.copy(self)
        snapshot.weights = self.weights.copy()
        return snapshot

    def to(self, device: torch.device) -> "SampleMemory":
        """A snapshot whose samples are on a device."""
        moved = self.snapshot()
        moved._features, moved.boxes = self._features.to(device), self.boxes.to(device)
        return moved

    def _make_room(self, learning_rate: float) -> int:
        """Choose a slot and move the weights on."""
        if self.stored < self._config.capacity:
            slot = self.stored
        else:
            slot = self.initial + int(self.weights[self.initial :].argmin())
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
