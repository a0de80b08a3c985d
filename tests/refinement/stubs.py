"""Stand-ins for a trained network and for a base tracker."""

from collections.abc import Collection
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from alpharefine.nets.refine.config import RefineNetConfig
from alpharefine.nets.refine.network import RefineOutput
from alpharefine.types import Box, Estimate, Image

SIZE = 64


class FixedNetwork(nn.Module):
    """Answers the same corners and a mask of the crop's left half, whatever it sees."""

    def __init__(self, corners: tuple[float, float, float, float], mask: bool = True) -> None:
        super().__init__()
        self.config = RefineNetConfig(input_size=SIZE, mask_head="pyramid" if mask else None)
        self.corners = torch.tensor([corners])
        self.asked: list[frozenset[str]] = []

    def reference(self, images: Tensor, boxes: Tensor) -> Tensor:
        return images[:, :, :2, :2]

    def search(
        self, images: Tensor, kernel: Tensor, outputs: Collection[str] | None
    ) -> RefineOutput:
        wanted = self.config.outputs if outputs is None else frozenset(outputs)
        self.asked.append(wanted)
        logits = torch.full((1, 1, SIZE, SIZE), -10.0)
        logits[..., : SIZE // 2] = 10.0
        return RefineOutput(
            self.corners if "box" in wanted else None, None, logits if "mask" in wanted else None
        )


@dataclass
class ScriptedBase:
    """Base tracker that always answers the same box and remembers what it was told."""

    box: Box
    lost: bool = False
    ambiguous: bool = False
    initial: Box | None = None
    states: list[Box] = field(default_factory=list)

    def initialize(self, image: Image, target: Box) -> None:
        self.initial = target

    def track(self, image: Image) -> Estimate:
        return Estimate(self.box, None, 0.4, self.lost, self.ambiguous)

    def set_state(self, box: Box) -> None:
        self.states.append(box)
