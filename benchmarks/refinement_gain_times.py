"""Times of `refinement_gain.py`: a frame of a base tracker, and of its refined forms."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from alpharefine.data.images import read_frame
from alpharefine.errors import UsageError
from alpharefine.runtime import resolve_runtime
from alpharefine.types import Box, Tracker
from vot_integration.bench import reference
from vot_integration.bench.reference import is_steady, synchronizer
from vot_integration.files import write_text
from vot_integration.regions.targets import read_target
from vot_integration.sequences.folder import SequenceFolder
from vot_integration.toolkit.regions import region_shape

_WARM_UP = 3
_FRAMES_PER_UNIT = 2


def measure_times(
    make: Callable[[str], Tracker | None],
    kinds: Sequence[str],
    sequence: SequenceFolder,
    frames: int,
    device: str,
    file: Path,
) -> None:
    """Write median milliseconds and units of each kind, unless the file is there.

    Args:
        make: builds the tracker of a kind.
        kinds: what is timed.
        sequence: that it follows; images are read beforehand.
        frames: how many, the first ones not counted.
        device: where it runs.
        file: for the result.

    Raises:
        UsageError: the machine was busy, so that times mean nothing.
    """
    if file.is_file():
        return
    place = resolve_runtime(device).device
    unit, wait = reference.unit(place), synchronizer(place)
    found, units = {}, []
    images = [read_frame(str(path)) for path in sequence.frames[: frames + 1]]
    for kind in kinds:
        tracker = make(kind)
        if tracker is None:
            continue
        first, *others = images
        assert first is not None
        tracker.initialize(first, _target(sequence))
        seconds = []
        for number, image in enumerate(others):
            assert image is not None
            wait()
            start = time.perf_counter()
            tracker.track(image)
            wait()
            seconds.append(time.perf_counter() - start)
            if number % _FRAMES_PER_UNIT == 0:
                units.append(unit.measure())
        found[kind] = float(np.median(seconds[_WARM_UP:]))
    if not is_steady(units):
        raise UsageError("the unit's times vary too much: let the machine do nothing else")
    scale = float(np.median(units))
    file.parent.mkdir(parents=True, exist_ok=True)
    plain = {kind: {"ms": 1000 * s, "units": s / scale} for kind, s in found.items()}
    write_text(file, json.dumps(plain, indent=1) + "\n")


def _target(sequence: SequenceFolder) -> Box:
    width, height = sequence.size
    shape = region_shape(sequence.regions[0])
    if shape is None:
        raise UsageError(f"{sequence.name}: no target in the first frame")
    return read_target(shape, height, width).box
