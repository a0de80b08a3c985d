"""A tracker follows its target through frames."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from alpharefine.types import Image
from vot_integration.regions.shapes import Shape
from vot_integration.track.follower import Answer, Follower
from vot_integration.track.outputs import Sink


@dataclass(frozen=True)
class Followed:
    """What has happened: frames tracked, the first one included, and those that were unreadable."""

    frames: int
    unreadable: int


def follow(
    follower: Follower,
    frames: Iterator[Image | None],
    target: Shape,
    sinks: Sequence[Sink],
    *,
    limit: int | None = None,
    is_live: bool = False,
    on_frame: Callable[[int], None] = lambda number: None,
) -> Followed:
    """Track through frames and give every answer to the sinks.

    Args:
        follower: any tracker; it is closed at the end.
        frames: images from the first on, which is there; one that is None keeps the last answer.
        target: in the first frame.
        sinks: take frames with answers.
        limit: how many frames at most.
        is_live: let Ctrl-C end the video in order, with what there is kept.
        on_frame: is told how many frames are done.
    """
    done = unreadable = 0
    with ExitStack() as stack:
        entered = [stack.enter_context(sink) for sink in sinks]
        stack.callback(follower.close)
        answer: Answer | None = None
        last: Image | None = None
        try:
            for image in islice(frames, limit):
                if image is None:
                    unreadable += 1
                elif answer is None:
                    answer = follower.initialize(image, target)
                else:
                    answer = follower.track(image)
                last = last if image is None else image
                if last is not None and answer is not None:
                    for sink in entered:
                        sink.write(last, answer)
                done += 1
                on_frame(done)
        except KeyboardInterrupt:
            if not is_live:
                raise
    return Followed(done, unreadable)
