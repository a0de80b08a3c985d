"""`arvot bench`: frames and the unit in turn, then start-up, memory and stages."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from alpharefine.build import build_tracker
from alpharefine.data.images import read_image
from alpharefine.errors import UsageError
from alpharefine.refinement.refined_tracker import RefinedTracker
from alpharefine.runtime import Runtime, resolve_runtime
from alpharefine.types import NetworkTracker, Tracker
from vot_integration.bench.clips import Clip, builtin_clips, clips_of
from vot_integration.bench.measure import time_clips, time_stages
from vot_integration.bench.reference import Pass, unit
from vot_integration.bench.result import Bench
from vot_integration.regions.answers import resolve_output
from vot_integration.serving.client import ServedTracker
from vot_integration.toolkit.regions import shape_box
from vot_integration.workspaces.trackers_ini import registrations

_log = logging.getLogger(__name__)

_STARTS = 3


@dataclass(frozen=True)
class BenchOptions:
    """What to measure.

    Attributes:
        tracker: name, `_rotated` or `_box` at its end chooses the answers.
        device: see `alpharefine.runtime.resolve_runtime`.
        precision: of the networks, or "auto".
        weights: see `alpharefine.build.build_tracker`.
        frames: tracked frames; shared out to a few runs.
        sequences: folder of sequences in VOT format; None for the built-in ones.
        busy: keep one core busy meanwhile.

    Raises:
        UsageError: there are no frames to track, or the tracker is unknown.
    """

    tracker: str
    device: str = "auto"
    precision: str = "auto"
    weights: str | None = None
    frames: int = 200
    sequences: Path | None = None
    busy: bool = False

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise UsageError(f"--frames is {self.frames}: give at least 1")
        if self.tracker not in registrations():
            raise UsageError(
                f"unknown tracker {self.tracker!r}; bench measures those of arvot: choose from "
                f"{', '.join(registrations())}; `arvot evaluate` and `arvot analyze` tell the "
                "speed of one of your own"
            )

        if registrations()[self.tracker].several:
            raise UsageError(
                f"{self.tracker} follows several objects; bench measures one: leave out _multi"
            )

    @property
    def runtime(self) -> Runtime:
        """Device and precision, resolved.

        Raises:
            UsageError: unknown device or precision.
        """
        return resolve_runtime(self.device, self.precision)


def run_bench(options: BenchOptions) -> Bench:
    """Measure a tracker; takes the machine for itself for a minute or more.

    Raises:
        UsageError: bad input.
        EvaluationError: the tracker fails.
    """
    runtime = options.runtime
    with tempfile.TemporaryDirectory(prefix="arvot-bench-") as name:
        if options.sequences is None:
            clips = builtin_clips(Path(name), options.frames)
        else:
            clips = clips_of(options.sequences, options.frames)
        return _measure(options, runtime, clips)


def _measure(options: BenchOptions, runtime: Runtime, clips: Sequence[Clip]) -> Bench:
    startups = []
    for _ in range(_STARTS - 1):
        with _serve(options, runtime) as served:
            startups.append(served.startup_s)
    with _serve(options, runtime) as served:
        startups.append(served.startup_s)
        _log.info("tracking %d frames", options.frames)
        base, output = resolve_output(options.tracker)
        tracker = build_tracker(
            base,
            device=str(runtime.device),
            precision=runtime.precision,
            weights=options.weights,
        )
        passes = [unit(runtime.device), *_search_pass(tracker, clips[0], runtime)]
        runs, (unit_s, *search_s) = time_clips(served, passes, clips, options.busy)
        rss_mb = served.peak_rss_mb()
    _log.info("measuring the stages")
    stages, init_stages = time_stages(tracker, output, clips, runtime.device)
    return Bench(
        tracker=options.tracker,
        device=str(runtime.device),
        precision=runtime.precision,
        startups_s=tuple(startups),
        runs=tuple(runs),
        unit_s=tuple(unit_s),
        search_s=tuple(search_s[0]) if search_s else (),
        rss_mb=rss_mb,
        stages=stages,
        init_stages=init_stages,
        threads=torch.get_num_threads(),
        busy=options.busy,
    )


def _search_pass(tracker: Tracker, clip: Clip, runtime: Runtime) -> list[Pass]:
    """The pass of the base tracker's network; empty where it has none that runs alone."""
    base = tracker.base if isinstance(tracker, RefinedTracker) else tracker
    if not isinstance(base, NetworkTracker):
        return []
    image = read_image(clip.frames[0])
    base.initialize(image, shape_box(clip.target))
    return [Pass(base.search_pass, runtime.device)]


def _serve(options: BenchOptions, runtime: Runtime) -> ServedTracker:
    _log.info("starting the server of %s", options.tracker)
    return ServedTracker(options.tracker, str(runtime.device), runtime.precision, options.weights)
