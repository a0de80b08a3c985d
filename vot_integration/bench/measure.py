"""Latencies of a served tracker, and where its time goes in this process."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch

from alpharefine.stage_timer import StageTimer
from alpharefine.types import Tracker
from vot_integration.bench.clips import Clip
from vot_integration.bench.reference import BusyCore, Pass, synchronizer
from vot_integration.bench.result import TimedRun
from vot_integration.regions.answers import Output
from vot_integration.serving.client import ServedTracker
from vot_integration.serving.run_log import Tally
from vot_integration.serving.session import Session

REST = "rest"
"""Stands for what no stage accounts for."""

_FRAMES_PER_PASS = 2


def time_clips(
    served: ServedTracker, passes: Sequence[Pass], clips: Sequence[Clip], busy: bool
) -> tuple[list[TimedRun], list[list[float]]]:
    """Runs on all clips, and what they are compared with in between.

    Args:
        served: the tracker.
        passes: all are measured after every other frame, seconds each.
        clips: what is tracked, a run each.
        busy: keep one core busy meanwhile, but not during the passes.
    """
    runs: list[TimedRun] = []
    pass_s: list[list[float]] = [[] for _ in passes]
    with BusyCore(busy) as core:
        for clip in clips:
            first, *others = clip.frames
            init_s, frame_s = served.initialize(first, clip.target), []
            for number, path in enumerate(others):
                frame_s.append(served.track(path))
                if number % _FRAMES_PER_PASS == 0:
                    with core.paused():
                        for each, seconds in zip(passes, pass_s, strict=True):
                            seconds.append(each.measure())
            runs.append(TimedRun(init_s, tuple(frame_s), clip.fps))
    return runs, pass_s


def time_stages(
    tracker: Tracker, output: Output, clips: Iterable[Clip], device: torch.device
) -> tuple[dict[str, float], dict[str, float]]:
    """Stages of frames and of initializations.

    Args:
        tracker: built for `device`.
        output: what it answers.
        clips: what is tracked.
        device: it is waited for at both ends of each stage.

    Returns:
        Stage -> mean seconds a frame, and the same of initializations, so that they add up.
    """
    session = Session(tracker, output, Tally())
    timer = StageTimer(synchronizer(device))
    inits, frames = [], []
    for clip in clips:
        first, *others = map(str, clip.frames)
        inits.append(_time(timer, partial(session.initialize, first, [clip.target])))
        frames += [_time(timer, partial(session.track, path)) for path in others]
    return _means(frames), _means(inits)


def _time(timer: StageTimer, answer: Callable[[], object]) -> dict[str, float]:
    timer.clear()
    start = time.perf_counter()
    with timer.recording():
        answer()
    passed = time.perf_counter() - start
    return {**timer.seconds, REST: passed - sum(timer.seconds.values())}


def _means(times: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in times for name in each)
    return {name: sum(each.get(name, 0.0) for each in times) / len(times) for name in names}
