"""Many frames and many starts of our own tracker in one process, through the toolkit's runtime."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from vot.dataset import Sequence, load_sequence

from tests.conftest import Report
from tests.serving.conftest import Launch, log_text, process_id
from tests.serving.test_catalog import SERVER
from tests.serving.test_formats import TARGETS, resident_kib, start, step, trace
from vot_integration.sequences.builtin import BUILTIN_NAMES, write_builtin_sequences

TRACKER = "ARDiMP_lite"
STARTS = 200
SETTLED = 500
"""Frames after which all that is made once is there."""

ALLOWED_GROWTH_KIB = 16 * 1024


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Sequence:
    """A built-in sequence."""
    folder = tmp_path_factory.mktemp("film")
    write_builtin_sequences(folder, BUILTIN_NAMES[:1])
    return load_sequence(str(folder / BUILTIN_NAMES[0]))


def there_and_back(length: int) -> Iterator[int]:
    """Frames 1, 2, ..., length - 1, length - 2, ..., 0, 1, ..., without end."""
    while True:
        yield from range(1, length)
        yield from range(length - 2, -1, -1)


@pytest.mark.soak
@pytest.mark.parametrize(("tracker", "length"), [(TRACKER, 8000), ("ARDiMP_v20", 5000)])
def test_memory_and_time_stay_constant_over_many_frames(
    launch: Launch, film: Sequence, logs: Path, figure: Report, tracker: str, length: int
) -> None:
    resident, seconds = {}, []
    with launch(name=tracker, command=SERVER, env_OMP_NUM_THREADS="2") as runtime:
        start(runtime, film, film.groundtruth(0))
        for number, index in enumerate(islice(there_and_back(len(film)), length), start=1):
            _, elapsed = runtime.update(film.frame(index), [])
            seconds.append(elapsed)
            if number in (SETTLED, length):
                resident[number] = resident_kib(process_id(runtime))
    growth = resident[length] - resident[SETTLED]
    milliseconds = 1e3 * np.array(seconds)
    figure(f"growth of memory from frame {SETTLED} to {length} of {tracker}, KiB", growth)
    for part, name in ((slice(SETTLED, 1500), "first"), (slice(-1000, None), "last")):
        median, high = np.quantile(milliseconds[part], (0.5, 0.95))
        figure(f"{tracker}, median of the {name} 1000 frames, ms", float(median))
        figure(f"{tracker}, 95 % of the {name} 1000 frames, ms", float(high))
    assert growth < ALLOWED_GROWTH_KIB
    assert f"{length} frames" in log_text(logs)


@pytest.mark.soak
def test_200_starts_answer_what_fresh_processes_do(
    launch: Launch, sequence: Sequence, figure: Report
) -> None:
    settings = {"name": TRACKER, "command": SERVER, "env_OMP_NUM_THREADS": "2"}
    anchors = [(0, "rectangle"), (3, "mask"), (5, "polygon"), (6, "mask")]
    fresh = []
    for frame, target in anchors:
        with launch(**settings) as runtime:
            fresh.append(trace(runtime, sequence, TARGETS[target], frame))
    with launch(**settings) as runtime:
        for number in range(STARTS):
            frame, target = anchors[number % len(anchors)]
            answers = trace(runtime, sequence, TARGETS[target], frame)
            assert answers == fresh[number % len(anchors)], f"start {number}"
            if number == len(anchors) * 5:
                before = resident_kib(process_id(runtime))
        growth = resident_kib(process_id(runtime)) - before
    figure(f"growth of memory over {STARTS} starts, KiB", growth)
    assert growth < ALLOWED_GROWTH_KIB


def test_a_few_starts_and_frames_stay_constant(launch: Launch, sequence: Sequence) -> None:
    """The short form, with a tracker that costs nothing: the server itself keeps nothing."""
    with launch() as runtime:
        for number in range(60):
            start(runtime, sequence, TARGETS["mask"])
            for index in (1, 2, 3):
                step(runtime, sequence, index)
            if number == 20:
                before = resident_kib(process_id(runtime))
        assert resident_kib(process_id(runtime)) - before < ALLOWED_GROWTH_KIB / 4
