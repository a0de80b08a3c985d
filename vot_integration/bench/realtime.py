"""What the toolkit's real-time experiment makes of latencies."""

from collections.abc import Sequence

GRACE = 3
"""Late answers that are free, as the VOT stacks have it."""

_BUDGET_FRAMES = 2


def budget_s(fps: float) -> float:
    """Latency up to which no frame is ever skipped: an answer may be one whole frame late."""
    return _BUDGET_FRAMES / fps


def count_skipped(
    init_s: float, frame_s: Sequence[float], frames: int, fps: float, grace: int = GRACE
) -> int:
    """Frames that a tracker does not get to see, because it is busy with an earlier one.

    Nothing sleeps in the toolkit: it books the time that an answer took. What exceeds a frame's
    duration is a debt that later frames pay off; while it is more than a frame's duration they
    repeat the last answer. The first late answers, that to the initialisation among them, are
    free.

    Args:
        init_s: latency of the initialisation, seconds.
        frame_s: latencies of the frames that the tracker sees, in order, and again from the first
            when they are used up.
        frames: frames of the run after the first.
        fps: frames a second.
        grace: number of free late answers.
    """
    interval, skipped, seen, debt = 1 / fps, 0, 0, 0.0

    def book(latency: float) -> float:
        nonlocal grace
        if latency <= interval:
            return 0.0
        if grace > 0:
            grace -= 1
            return 0.0
        return latency - interval

    debt = book(init_s)
    for _ in range(frames):
        if debt > interval:
            debt -= interval
            skipped += 1
            continue
        debt = book(frame_s[seen % len(frame_s)])
        seen += 1
    return skipped
