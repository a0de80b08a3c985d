"""A tracker follows its target through footage."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Estimate, Image, Tracker
from vot_integration.film.outputs import Sink


@dataclass(frozen=True)
class Followed:
    """What has happened: frames tracked, the first one included, and those that were unreadable."""

    frames: int
    unreadable: int


def follow(
    tracker: Tracker,
    frames: Iterator[Image | None],
    target: Box,
    sinks: Sequence[Sink],
    *,
    limit: int | None = None,
    is_live: bool = False,
    on_frame: Callable[[int], None] = lambda number: None,
) -> Followed:
    """Track through frames and give every answer to the sinks.

    Args:
        tracker: any tracker.
        frames: images from the first on; one that is None keeps the last answer.
        target: box in the first frame.
        sinks: take frames with answers.
        limit: how many frames at most.
        is_live: let Ctrl-C end the video in order, with what there is kept.
        on_frame: is told how many frames are done.
    """
    done = unreadable = 0
    with ExitStack() as stack:
        entered = [stack.enter_context(sink) for sink in sinks]
        estimate = Estimate(target, None, score=1.0)
        last: Image | None = None
        try:
            for image in islice(frames, limit):
                if image is None:
                    unreadable += 1
                elif last is None:
                    tracker.initialize(image, target)
                else:
                    estimate = tracker.track(image)
                last = last if image is None else image
                if last is not None:
                    for sink in entered:
                        sink.write(last, estimate)
                done += 1
                on_frame(done)
        except KeyboardInterrupt:
            if not is_live:
                raise
    return Followed(done, unreadable)
