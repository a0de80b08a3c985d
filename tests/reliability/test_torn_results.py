"""Result files that were cut off anywhere are noticed; whole ones are kept."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vot.region import Mask, Polygon, Rectangle, Special
from vot.tracker import Trajectory
from vot.tracker.results import Results
from vot.workspace.storage import LocalStorage

from vot_integration.toolkit.results import Run, count_regions, discard_unfinished

MASK = np.zeros((7, 9), np.uint8)
MASK[2:5, 3:8] = 1
REGIONS = [
    Special(Trajectory.INITIALIZATION),
    Rectangle(1, 2, 3, 4),
    Polygon([(0, 0), (5, 0), (5, 5), (0, 6), (-1, 3)]),
    Mask(MASK),
    Rectangle(0, 0, 0, 0),
    Mask(np.zeros((2, 2), np.uint8)),
]
RUNS = [Run("baseline", "s", f"s_{k:08d}", len(REGIONS)) for k in range(3)]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three runs, written by the toolkit."""
    storage = Results(LocalStorage(str(tmp_path / "baseline" / "s")))
    for run in RUNS:
        trajectory = Trajectory(len(REGIONS))
        for frame, region in enumerate(REGIONS):
            properties = {"time": 0.25 * frame}
            if frame:
                properties["confidence"] = 0.5
            trajectory.set(frame, region, properties)
        trajectory.write(storage, run.name)
    return tmp_path


def files(results: Path, run: Run) -> dict[str, Path]:
    stem = run.folder(results) / run.name
    return {
        "regions": stem.with_suffix(".bin"),
        "time": stem.with_name(f"{run.name}_time.value"),
        "confidence": stem.with_name(f"{run.name}_confidence.value"),
    }


def test_whole_runs_are_kept(results: Path) -> None:
    assert discard_unfinished(RUNS, results) == []
    assert all(run.is_whole(results) for run in RUNS)
    assert count_regions(files(results, RUNS[0])["regions"]) == len(REGIONS)


@pytest.mark.parametrize("name", ["regions", "time", "confidence"])
def test_a_run_cut_at_any_byte_is_torn(results: Path, name: str) -> None:
    file = files(results, RUNS[1])[name]
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert not RUNS[1].is_whole(results), length
    file.write_bytes(whole)
    assert RUNS[1].is_whole(results)


@pytest.mark.parametrize("stage", range(3))
def test_a_run_cut_off_between_two_files_is_repeated(results: Path, stage: int) -> None:
    """The toolkit writes the regions, then the times, then the confidence."""
    for file in list(files(results, RUNS[1]).values())[stage + 1 :]:
        file.unlink()
    kept = {file: file.read_bytes() for run in RUNS[::2] for file in files(results, run).values()}
    expected = [RUNS[1]] if stage < 2 else []
    assert discard_unfinished(RUNS, results) == expected
    assert all(file.read_bytes() == content for file, content in kept.items())
    assert any(file.exists() for file in files(results, RUNS[1]).values()) == (stage == 2)


@given(content=st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_are_counted_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.bin"
    file.write_bytes(b"\x01\x00" + content)
    count = count_regions(file)
    assert count is None or 0 <= count <= len(content)
