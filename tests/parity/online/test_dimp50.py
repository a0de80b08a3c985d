"""DiMP-50: the network of DiMP-super with other sizes and another ascent of boxes."""

from pathlib import Path

import pytest

from alpharefine.nets.registry import build_network
from alpharefine.trackers.dimp.config import DIMP_50
from tests.parity.fixtures import check_manifest, fixture_cases, load_npz, needs_shared, video_name
from tests.parity.online.common import FAMILY, UNREAD, lengths
from tests.parity.replay import Comparison, RecordedDraws, official_tracker


@needs_shared
def test_manifest() -> None:
    check_manifest(build_network("dimp50"), "dimp50", UNREAD, FAMILY)


@lengths
@pytest.mark.parametrize("path", fixture_cases("dimp50_*", FAMILY))
def test_every_recorded_array(path: Path, count: int | None) -> None:
    data = load_npz(path)
    draws = RecordedDraws(data)
    tracker = official_tracker(data, draws, "dimp50", DIMP_50)
    Comparison(data, amplified=1e-3).run(tracker, draws, video_name(path), count)
