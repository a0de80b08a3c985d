from pathlib import Path

import pytest

from tests.parity.fixtures import fixture_cases, load_npz, video_name
from tests.parity.replay import (
    Comparison,
    RecordedDraws,
    fixture_frames,
    initial_box,
    official_tracker,
)


@pytest.mark.parametrize("path", fixture_cases("base_int_*"))
def test_every_recorded_array(path: Path) -> None:
    data = load_npz(path)
    frames = fixture_frames(video_name(path), data)
    draws = RecordedDraws(data)
    tracker = official_tracker(data, draws)
    compare = Comparison(data)
    tracker.initialize(frames[0], initial_box(data))
    compare.initialization(tracker, frames[0])
    for k, image in enumerate(frames[1:]):
        draws.frame = k
        estimate = tracker.track(image)
        compare.frame(k, tracker, estimate)
        compare.state(k, tracker)
    compare.end(tracker)
