"""Refining the boxes of several targets of one image in one pass of the network."""

import logging
from collections.abc import Collection, Sequence

import torch

from alpharefine.errors import UsageError
from alpharefine.nets.refine.network import RefineOutput
from alpharefine.refinement.refiner import Refinement, Refiner
from alpharefine.stage_timer import stage
from alpharefine.types import Box, Image

_log = logging.getLogger(__name__)


@torch.inference_mode()
def refine_together(
    refiners: Sequence[Refiner],
    image: Image,
    boxes: Sequence[Box],
    outputs: Collection[str] | None,
) -> list[Refinement | None]:
    """Refine a box for each of several refiners that share their network.

    One target alone is refined exactly as by `Refiner.refine`, several up to rounding.

    Args:
        refiners: one a target, with its reference.
        image: H x W x 3 uint8 RGB.
        boxes: rough positions, image px, one for each refiner.
        outputs: as of `Refiner.refine`.

    Returns:
        Refinements; None for a box that is too large to be cut.
    """
    found: list[Refinement | None] = [None] * len(refiners)
    cuts = {}
    for number, (refiner, box) in enumerate(zip(refiners, boxes, strict=True)):
        try:
            cuts[number] = refiner.cut(image, box)
        except UsageError as error:
            # A run that has begun goes on with the base tracker's box.
            _log.warning("%s", error)
    if not cuts:
        return found
    network = refiners[0].network
    if len(cuts) == 1:
        crops, kernels = (next(iter(cuts.values()))[1], refiners[next(iter(cuts))].kernel)
    else:
        crops = torch.cat([crop for _, crop in cuts.values()])
        kernels = torch.cat([refiners[number].kernel for number in cuts])
    answer = stage("refinement network")(network.search)(crops, kernels, outputs)
    for place, (number, (window, _)) in enumerate(cuts.items()):
        own = (None if part is None else part[place : place + 1] for part in answer)
        found[number] = refiners[number].read(RefineOutput(*own), window, image)
    return found
