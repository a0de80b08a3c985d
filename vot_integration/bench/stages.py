"""Where a tracker's time goes, measured in this process."""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from vot.tracker.trax import convert_region

from alpharefine.stage_timer import StageTimer
from alpharefine.trackers.base import Tracker
from vot_integration.bench.clips import Clip
from vot_integration.bench.unit import synchronizer
from vot_integration.serving.outputs import Output
from vot_integration.serving.session import Session
from vot_integration.serving.tally import Tally

REST = "rest"


def time_stages(
    tracker: Tracker, output: Output, clips: Iterable[Clip], device: torch.device
) -> tuple[dict[str, float], dict[str, float]]:
    """Stages of frames and of initialisations.

    Args:
        tracker: built for `device`.
        output: what it answers.
        clips: what is tracked.
        device: it is waited for at both ends of each stage.

    Returns:
        Stage -> mean seconds a frame, and the same of initialisations, so that they add up.
    """
    session = Session(tracker, output, Tally())
    timer = StageTimer(synchronizer(device))
    inits, frames = [], []
    for clip in clips:
        first, *others = map(str, clip.frames)
        target = [(convert_region(clip.target), dict[str, str]())]
        inits.append(_time(timer, partial(session.initialize, first, target)))
        frames += [_time(timer, partial(session.track, path, None)) for path in others]
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
