"""The numbers of a benchmark, and what the toolkit's real-time experiment makes of latencies."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from vot_integration.bench.reference import STEADY, is_steady

GRACE = 3
"""Late answers that are free, as the VOT stacks have it."""

_BUDGET_FRAMES = 2


@dataclass(frozen=True)
class TimedRun:
    """Latencies of one run, seconds.

    Attributes:
        init_s: of the initialization.
        frame_s: of the frames after it.
        fps: frames a second of the sequence.
    """

    init_s: float
    frame_s: tuple[float, ...]
    fps: int

    @property
    def skipped(self) -> int:
        """Frames that the real-time experiment would skip."""
        return count_skipped(self.init_s, self.frame_s, len(self.frame_s), self.fps)


@dataclass(frozen=True)
class Bench:
    """What was measured.

    Attributes:
        tracker: name.
        device: where networks ran.
        precision: theirs.
        startups_s: seconds from the start of the server process to the end of the handshake.
        runs: latencies as the toolkit books them.
        unit_s: passes of the unit, between the frames.
        search_s: passes of the base tracker's own network, between the frames; empty where it has
            none that runs alone.
        rss_mb: largest resident memory of the server process, MiB; None if not known.
        stages: stage -> seconds a frame, mean; "rest" is what no stage accounts for.
        init_stages: the same of initializations.
        threads: threads of the numerical libraries.
        busy: whether another process kept one core busy meanwhile, but not during the unit.
    """

    tracker: str
    device: str
    precision: str
    startups_s: tuple[float, ...]
    runs: tuple[TimedRun, ...]
    unit_s: tuple[float, ...]
    search_s: tuple[float, ...]
    rss_mb: float | None
    stages: Mapping[str, float]
    init_stages: Mapping[str, float]
    threads: int
    busy: bool

    @property
    def void(self) -> str | None:
        """Why ratios to the unit mean nothing; None where they do."""
        if is_steady(self.unit_s):
            return None
        spread = np.percentile(self.unit_s, 90) / np.median(self.unit_s)
        return (
            f"the unit's 90th percentile is {spread:.2f} of its median, above {STEADY}: "
            "this machine was not idle, measure again"
        )

    def to_json(self) -> dict[str, Any]:
        """All numbers as JSON objects; `void` is null or says why the run does not count."""
        unit_ms = _median_ms(self.unit_s)
        frame_ms = _quantiles_ms([s for run in self.runs for s in run.frame_s])
        init_ms = _median_ms([run.init_s for run in self.runs])
        search_ms = _median_ms(self.search_s) if self.search_s else None
        fps = self.runs[0].fps
        return {
            "tracker": self.tracker,
            "device": self.device,
            "precision": self.precision,
            "threads": self.threads,
            "machine": machine_name(),
            "busy": self.busy,
            "void": self.void,
            "unit_ms": unit_ms,
            "search_ms": search_ms,
            "frame_ms": frame_ms,
            "init_ms": init_ms,
            "frame_over_unit": round(frame_ms["median"] / unit_ms, 3),
            "frame_over_search": None
            if search_ms is None
            else round(frame_ms["median"] / search_ms, 3),
            "init_over_unit": round(init_ms / unit_ms, 3),
            "startup_s": round(float(np.median(self.startups_s)), 3),
            "rss_mb": None if self.rss_mb is None else round(self.rss_mb, 1),
            "stages": _all_ms(self.stages),
            "init_stages": _all_ms(self.init_stages),
            "realtime": {
                "fps": fps,
                "budget_ms": round(1e3 * budget_s(fps), 3),
                "frames": sum(len(run.frame_s) for run in self.runs),
                "skipped": sum(replace(run, fps=fps).skipped for run in self.runs),
            },
        }


def machine_name() -> str:
    """Processor and number of cores that this process may use."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return f"{names[0] if names else platform.processor() or platform.machine()}, {cores} cores"


def _median_ms(seconds: Sequence[float]) -> float:
    return round(1e3 * float(np.median(seconds)), 3)


def _quantiles_ms(seconds: Sequence[float]) -> dict[str, float]:
    levels = {"median": 50, "p90": 90, "p99": 99}
    return {
        name: round(1e3 * float(np.percentile(seconds, level)), 3) for name, level in levels.items()
    }


def _all_ms(stages: Mapping[str, float]) -> dict[str, float]:
    return {name: round(1e3 * seconds, 3) for name, seconds in stages.items()}


def budget_s(fps: float) -> float:
    """Latency up to which no frame is ever skipped: an answer may be one whole frame late."""
    return _BUDGET_FRAMES / fps


def count_skipped(
    init_s: float, frame_s: Sequence[float], frames: int, fps: float, grace: int = GRACE
) -> int:
    """Frames that a tracker does not get to see, because it is busy with an earlier one.

    Nothing sleeps in the toolkit: it books the time that an answer took. What exceeds a frame's
    duration is a debt that later frames pay off; while it is more than a frame's duration they
    repeat the last answer. The first late answers, that to the initialization among them, are
    free.

    Args:
        init_s: latency of the initialization, seconds.
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
