"""Fit the decision about presence on training video, and say how well it separates.

    python benchmarks/presence.py DIR [--tracker NAME] [--frames N] [--every K]

DIR holds videos that networks may be trained on, one target each. The tracker follows each of them.
Every K frames its state is kept, and it is shown two frames without the target: its place filled
from its surroundings, and a frame of the next video; then it goes on as if nothing had been. What
`alpharefine.multi.presence` reads, the base tracker's confidence and the mean probability
in the refiner's mask, is fitted by logistic regression: 1 for frames in which the box overlaps the
true one by more than 0.5, 0 for those without the target. Prints the settings of `PresenceConfig`,
and the share of each kind of frame below the threshold.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alpharefine.build import build_tracker
from alpharefine.data.readers import read_source
from alpharefine.data.source import VideoSource
from alpharefine.multi.presence import mask_quality
from alpharefine.onepass.measures import overlaps
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.types import Box, Image
from vot_integration.commands.terminal import plain_console

_ON_TARGET = 0.5
_THRESHOLD = 0.1
_INPAINT_PX = 5

_console = plain_console()


@dataclass(frozen=True)
class Seen:
    """What a frame says.

    Attributes:
        kind: "on target", "filled" or "other video".
        cues: confidence and mask quality, 0..1.
    """

    kind: str
    cues: tuple[float, float]


def main() -> None:
    """Print the fit, and its errors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tracker", default="ARDiMP_lite")
    parser.add_argument("--frames", type=int, default=40, help="of each video")
    parser.add_argument("--every", type=int, default=3)
    options = parser.parse_args()
    source = read_source(options.folder, "video")
    tracker = build_tracker(options.tracker, device="cpu", precision="float32")
    assert isinstance(tracker, RefinedTracker)
    seen = [
        each
        for index in range(len(source))
        for each in follow(tracker, source, index, options.frames, options.every)
    ]
    bias, weights = fit(seen)
    _console.print(f"bias={bias:.3f}, score_weight={weights[0]:.3f}, mask_weight={weights[1]:.3f}")
    for kind in ("on target", "filled", "other video"):
        cues = np.array([each.cues for each in seen if each.kind == kind])
        below = 1 / (1 + np.exp(-(bias + cues @ weights))) < _THRESHOLD
        _console.print(f"{kind}: {below.mean():.1%} of {len(below)} frames below {_THRESHOLD}")


def follow(
    tracker: RefinedTracker, source: VideoSource, index: int, frames: int, every: int
) -> Iterator[Seen]:
    """Track a video, and look aside."""
    first, *others = np.flatnonzero(source.sequence(index).visible)[:frames]
    begin = source.frame(index, int(first))
    tracker.initialize(begin.image, begin.box)
    for number, t in enumerate(others):
        frame = source.frame(index, int(t))
        if number % every == 0:
            kept = tracker.snapshot()
            assert kept is not None
            yield Seen("filled", look(tracker, filled(frame.image, frame.box)))
            tracker.resume(kept)
            yield Seen("other video", look(tracker, other(source, index, frame.image.shape)))
            tracker.resume(kept)
        cues = look(tracker, frame.image)
        if overlaps(np.array([tracker.trace.fed_back]), np.array([frame.box]))[0] > _ON_TARGET:
            yield Seen("on target", cues)


def look(tracker: RefinedTracker, image: Image) -> tuple[float, float]:
    """What the tracker makes of a frame."""
    estimate = tracker.track(image)
    return estimate.confidence, mask_quality(estimate, tracker.trace.refinement)


def filled(image: Image, box: Box) -> Image:
    """The image without its target, whose place is filled from the surroundings."""
    margin = 0.15 * max(box.w, box.h)
    hole = np.zeros(image.shape[:2], np.uint8)
    y, x = max(box.y - margin, 0), max(box.x - margin, 0)
    hole[int(y) : int(box.y + box.h + margin), int(x) : int(box.x + box.w + margin)] = 1
    return np.asarray(cv2.inpaint(image, hole, _INPAINT_PX, cv2.INPAINT_TELEA), np.uint8)


def other(source: VideoSource, index: int, shape: Sequence[int]) -> Image:
    """The first frame of the next video, as large as this one's."""
    following = (index + 1) % len(source)
    t = int(np.flatnonzero(source.sequence(following).visible)[0])
    return np.asarray(cv2.resize(source.frame(following, t).image, (shape[1], shape[0])), np.uint8)


def fit(seen: Sequence[Seen]) -> tuple[float, NDArray[np.float64]]:
    """Bias and weights of the logistic regression, both kinds of frames weighing the same."""
    cues = torch.tensor([each.cues for each in seen], dtype=torch.float64)
    present = torch.tensor([each.kind == "on target" for each in seen], dtype=torch.float64)
    share = present.mean()
    balance = torch.where(present > 0, 0.5 / share, 0.5 / (1 - share))
    model = nn.Linear(2, 1, dtype=torch.float64)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        logits = model(cues)[:, 0]
        value = nn.functional.binary_cross_entropy_with_logits(logits, present, balance)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return float(model.bias.item()), model.weight.detach().numpy()[0]


if __name__ == "__main__":
    main()
