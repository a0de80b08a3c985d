from pathlib import Path

import pytest

from tests.parity.fixtures import fixture_cases, load_npz, video_name
from tests.parity.replay import Comparison, RecordedDraws, official_tracker


@pytest.mark.parametrize("path", fixture_cases("base_int_*"))
def test_every_recorded_array(path: Path) -> None:
    data = load_npz(path)
    draws = RecordedDraws(data)
    Comparison(data).run(official_tracker(data, draws), draws, video_name(path))
