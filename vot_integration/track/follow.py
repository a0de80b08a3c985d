"""Targets are followed through frames."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from alpharefine.types import Image
from vot_integration.regions.shapes import Shape
from vot_integration.track.follower import Answer
from vot_integration.track.group import Group
from vot_integration.track.outputs import Sink


@dataclass(frozen=True)
class Followed:
    """What has happened.

    Attributes:
        frames: how many were tracked, the first one included.
        unreadable: places of those that could not be read, the first frame being 0.
        is_interrupted: whether Ctrl-C ended it.
    """

    frames: int
    unreadable: Sequence[int] = ()
    is_interrupted: bool = False


def follow(
    group: Group,
    frames: Iterator[Image | None],
    targets: Sequence[Shape],
    sinks: Sequence[Sink],
    *,
    limit: int | None = None,
    is_live: bool = False,
    on_frame: Callable[[int], None] = lambda number: None,
) -> Followed:
    """Track through frames and give every answer to the sinks.

    Args:
        group: trackers of any kind; closed at the end.
        frames: images from the first on, which is there; one that is None keeps the last answers.
        targets: in the first frame.
        sinks: take frames with answers.
        limit: how many frames at most.
        is_live: let Ctrl-C end the video in order, with what there is kept.
        on_frame: is told how many frames are done.
    """
    done, unreadable, is_interrupted = 0, [], False
    with ExitStack() as stack:
        entered = [stack.enter_context(sink) for sink in sinks]
        stack.callback(group.close)
        answers: Sequence[Answer] = ()
        last: Image | None = None
        try:
            for image in islice(frames, limit):
                if image is None:
                    unreadable.append(done)
                elif not answers:
                    answers = group.initialize(image, targets)
                else:
                    answers = group.track(image)
                last = last if image is None else image
                if last is not None and answers:
                    for sink in entered:
                        sink.write(last, answers)
                done += 1
                on_frame(done)
        except KeyboardInterrupt:
            if not is_live:
                raise
            is_interrupted = True
    return Followed(done, unreadable, is_interrupted)
