"""How good refinement is when the search region is right: the oracle experiment.

Each output of a refinement network is compared with the truth twice over: for the true box as
input, or at least its center, and for boxes as far off as a base tracker's.

Source: Yan et al., "Alpha-Refine" (CVPR 2021), table 1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from alpharefine.data.images import FrameError, SkipCounter
from alpharefine.data.source import TrainFrame, VideoSource
from alpharefine.errors import UsageError
from alpharefine.geometry.boxes import box_iou, mask_to_box
from alpharefine.refinement.refiner import Refiner
from alpharefine.training.crops import jittered_box
from alpharefine.training.motion import MotionConfig, move_frame
from alpharefine.types import Box, Mask

INPUT, BOX, MASK_BOX, MASK = "input", "box", "mask box", "mask"
"""What is compared with the truth: the box that the network is given, and its answers."""

_ATTEMPTS = 10


@dataclass(frozen=True)
class GivenBox:
    """How the input box is made from the true one; the measures are training's.

    Attributes:
        name: for the table.
        scale_jitter: sigma of the logarithm of each side.
        center_jitter: width of the uniform shift over the root of the search window's area.
    """

    name: str
    scale_jitter: float = 0.0
    center_jitter: float = 0.0


GIVEN_BOXES = (
    GivenBox("true box"),
    GivenBox("true center", 0.25),
    GivenBox("jitter 0.10", 0.10, 0.10),
    GivenBox("jitter 0.25", 0.25, 0.25),
    GivenBox("jitter 0.40", 0.40, 0.40),
)
"""The true box, then its center with other sides, then boxes that are further and further off.

0.25 is the jitter of training (section 3.4).
"""


@dataclass(frozen=True)
class OracleConfig:
    """What is measured.

    Attributes:
        given: kinds of input boxes.
        frames: search frames of one target, evenly spread over those that show it; the reference
            is the first of these. A still image is compared with one moved view of itself.
        targets: at most so many of the data set's targets, evenly spread.
        motion: of the second view of a still image.
        seed: of jitter and motion.
    """

    given: tuple[GivenBox, ...] = GIVEN_BOXES
    frames: int = 20
    targets: int = 200
    motion: MotionConfig = field(default_factory=MotionConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.frames, self.targets) < 1:
            raise UsageError("frames and targets must be 1 or more")


@dataclass(frozen=True)
class OracleScore:
    """One output with one kind of input.

    Attributes:
        given: name of the input.
        output: "input", "box", "mask box" (tight box of the mask) or "mask".
        frames: number of comparisons.
        mean_iou: mean intersection over union with the truth, in image px.
        above_50: share of frames whose IoU is above 0.5.
        above_75: the same for 0.75.
    """

    given: str
    output: str
    frames: int
    mean_iou: float
    above_50: float
    above_75: float


Observer = Callable[[int, int], None]
"""Told of the finished and of all targets."""


def measure_oracle(
    source: VideoSource,
    refiner: Refiner,
    config: OracleConfig = OracleConfig(),
    observer: Observer | None = None,
) -> list[OracleScore]:
    """Refine true and jittered boxes and compare every answer with the truth.

    Where no box is answered the input box counts, as in `RefinedTracker`.
    Masks are compared in the frames that have a true one.

    Args:
        source: any data set.
        refiner: with a network of any variant.
        config: what is measured.
        observer: told of progress.

    Returns:
        A score for each input and each output that the network has.

    Raises:
        UsageError: no frame of the data set can be used.
    """
    ious: dict[tuple[str, str], list[float]] = {}
    skips = SkipCounter(source.name)
    chosen = _evenly(range(len(source)), config.targets)
    for done, index in enumerate(chosen):
        rng = np.random.default_rng((config.seed, index))
        for frame in _prepared_frames(source, index, refiner, config, rng, skips):
            for given in config.given:
                for output, iou in _ious(frame, given, refiner, rng).items():
                    ious.setdefault((given.name, output), []).append(iou)
        if observer is not None:
            observer(done + 1, len(chosen))
    if not ious:
        raise UsageError(f"{source.name}: no frame with a target can be used; check the data set")
    return [_score(given, output, values) for (given, output), values in ious.items()]


def _prepared_frames(
    source: VideoSource,
    index: int,
    refiner: Refiner,
    config: OracleConfig,
    rng: np.random.Generator,
    skips: SkipCounter,
) -> Iterator[TrainFrame]:
    """The search frames of a target that the refiner has been initialized on."""
    visible = [int(t) for t in np.flatnonzero(source.sequence(index).visible)]
    if not visible:
        return
    try:
        reference = source.frame(index, visible[0])
        refiner.initialize(reference.image, reference.box)
        if len(source.sequence(index)) == 1:
            yield _moved(reference, config.motion, rng)
            return
    except FrameError as error:
        skips.add(error)
        return
    for t in _evenly(visible[1:], config.frames):
        try:
            yield source.frame(index, t)
        except FrameError as error:
            skips.add(error)


def _moved(still: TrainFrame, motion: MotionConfig, rng: np.random.Generator) -> TrainFrame:
    for _ in range(_ATTEMPTS):
        try:
            return move_frame(still, motion, rng)
        except FrameError:
            continue
    return still


def _evenly(items: Sequence[int], count: int) -> list[int]:
    """At most `count` of the items, evenly spread, the last one among them."""
    if len(items) <= count:
        return list(items)
    places = np.linspace(len(items) / count, len(items), count).round().astype(int) - 1
    return [items[int(place)] for place in places]


def _ious(
    frame: TrainFrame, given: GivenBox, refiner: Refiner, rng: np.random.Generator
) -> dict[str, float]:
    reach = refiner.config.search_factor * given.center_jitter
    box = jittered_box(frame.box, given.scale_jitter, reach, rng)
    refinement = refiner.refine(frame.image, box)
    ious = {INPUT: box_iou(box, frame.box)}
    if BOX in refiner.outputs:
        ious[BOX] = box_iou(refinement.box or box, frame.box)
    if refinement.mask is not None:
        ious |= _mask_ious(frame, box, refinement.mask)
    return ious


def _mask_ious(frame: TrainFrame, given: Box, mask: Mask) -> dict[str, float]:
    ious = {MASK_BOX: box_iou(mask_to_box(mask) or given, frame.box)}
    if frame.mask is not None:
        inter = np.count_nonzero(mask & frame.mask)
        ious[MASK] = float(inter / np.count_nonzero(mask | frame.mask))
    return ious


def _score(given: str, output: str, values: Sequence[float]) -> OracleScore:
    ious = np.array(values)
    above_50, above_75 = float((ious > 0.5).mean()), float((ious > 0.75).mean())
    return OracleScore(given, output, len(values), float(ious.mean()), above_50, above_75)
