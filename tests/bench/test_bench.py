"""The benchmark's logic; no test looks at how long anything took."""

import json
import os
import time
from pathlib import Path

import pytest
from vot.tracker import RealtimeTrackerRuntime

from alpharefine.errors import UsageError
from vot_integration import cli
from vot_integration.bench.clips import builtin_clips, clips_of
from vot_integration.bench.reference import BusyCore
from vot_integration.bench.result import GRACE, Bench, TimedRun, budget_s, count_skipped
from vot_integration.pipeline import bench
from vot_integration.pipeline.bench import BenchOptions, run_bench

KEYS = {
    "unit_ms",
    "frame_ms",
    "init_ms",
    "startup_s",
    "rss_mb",
    "frame_over_unit",
    "frame_over_search",
    "search_ms",
    "init_over_unit",
    "stages",
    "device",
    "precision",
}


class _Replayed:
    """Stands for the toolkit's tracker runtime: answers with given latencies."""

    tracker = None

    def __init__(self, latencies: list[float]) -> None:
        self._latencies = iter(latencies)
        self.seen = 0

    def initialize(self, *_: object) -> tuple[str, float]:
        return "state", next(self._latencies)

    def update(self, *_: object) -> tuple[str, float]:
        self.seen += 1
        return "state", next(self._latencies)


@pytest.mark.parametrize("init", [0.0, 0.5])
@pytest.mark.parametrize(
    "frame", [[0.03], [0.06], [0.0667], [0.07], [0.09], [0.11], [0.14], [0.02, 0.2, 0.03, 0.3]]
)
def test_skipped_frames_are_the_toolkits(init: float, frame: list[float]) -> None:
    frames, fps = 40, 30
    replayed = _Replayed([init, *(frame * frames)])
    runtime = RealtimeTrackerRuntime(replayed, grace=GRACE, interval=1 / fps)
    runtime.initialize(None, None)
    for _ in range(frames):
        runtime.update(None)
    assert count_skipped(init, frame, frames, fps) == frames - replayed.seen


def test_nothing_is_skipped_within_the_budget() -> None:
    assert budget_s(20) == pytest.approx(0.1)
    assert count_skipped(9.0, [budget_s(25) - 1e-6], 100, 25) == 0
    assert count_skipped(9.0, [budget_s(25) + 1e-3], 100, 25) > 0


def _bench(unit_s: list[float]) -> Bench:
    runs = (TimedRun(2.0, (0.2, 0.2, 0.4), 25), TimedRun(1.0, (0.2, 0.2), 30))
    return Bench(
        tracker="T",
        device="cpu",
        precision="float32",
        startups_s=(3.0, 1.0, 2.0),
        runs=runs,
        unit_s=tuple(unit_s),
        search_s=(0.05, 0.1, 0.1),
        rss_mb=None,
        stages={"crop": 0.01, "rest": 0.19},
        init_stages={"crop": 0.5},
        threads=2,
        busy=False,
    )


def test_the_numbers() -> None:
    numbers = _bench([0.1] * 5).to_json()
    assert numbers.keys() >= KEYS
    assert (numbers["unit_ms"], numbers["init_ms"], numbers["startup_s"]) == (100, 1500, 2)
    assert numbers["frame_ms"]["median"] == 200
    assert 200 < numbers["frame_ms"]["p90"] < numbers["frame_ms"]["p99"] < 400
    assert (numbers["frame_over_unit"], numbers["init_over_unit"]) == (2, 15)
    assert (numbers["search_ms"], numbers["frame_over_search"]) == (100, 2)
    assert numbers["stages"] == {"crop": 10, "rest": 190}
    assert numbers["realtime"]["budget_ms"] == 80
    assert numbers["realtime"]["frames"] == 5
    assert json.loads(json.dumps(numbers)) == numbers


@pytest.mark.parametrize(("last", "steady"), [(0.129, True), (0.14, False)])
def test_a_run_with_an_unsteady_unit_is_void(last: float, steady: bool) -> None:
    void = _bench([0.1] * 5 + [last] * 2).to_json()["void"]
    assert (void is None) == steady
    if void is not None:
        assert "1.40" in void and "idle" in void


@pytest.mark.parametrize("frames", [1, 3, 7])
def test_builtin_clips_have_the_frames_that_were_asked_for(tmp_path: Path, frames: int) -> None:
    clips = builtin_clips(tmp_path, frames)
    assert sum(len(clip.frames) - 1 for clip in clips) == frames
    assert all(path.is_file() for clip in clips for path in clip.frames)
    again = clips_of(tmp_path, frames)
    assert [clip.frames for clip in again] == [clip.frames for clip in clips]


def test_too_short_sequences_are_refused(tmp_path: Path) -> None:
    builtin_clips(tmp_path, 5)
    with pytest.raises(UsageError, match="fewer --frames"):
        clips_of(tmp_path, 500)


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]


def _becomes(states: str, process: int) -> bool:
    deadline = time.monotonic() + 10
    while _state(process) not in states and time.monotonic() < deadline:
        time.sleep(0.01)
    return _state(process) in states


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_busy_core_pauses_and_ends() -> None:
    with BusyCore() as core:
        assert core._process is not None
        process = core._process.pid
        with core.paused():
            assert _becomes("T", process)
        assert _becomes("R", process)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_no_busy_core_is_started_unasked() -> None:
    with BusyCore(False) as core, core.paused():
        assert core._process is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--tracker", "Nobody"], "unknown tracker 'Nobody'; bench measures those of arvot"),
        (["--frames", "0"], "--frames is 0"),
        (["--precision", "float8"], "unknown precision"),
        (["--json", "/nowhere/x.json"], "no folder"),
        (["--sequences", "/nowhere"], "no sequence folder"),
    ],
)
def test_bad_input(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["bench", *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_broken_weights_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    with pytest.raises(UsageError, match="broken"):
        run_bench(BenchOptions("DiMPlite", "cpu", "float32", str(broken), frames=1))


def test_everything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARVOT_LOG_DIR", str(tmp_path))
    monkeypatch.setattr(bench, "_STARTS", 1)
    file = tmp_path / "numbers.json"
    options = ["--device", "cpu", "--precision", "float32", "--frames", "2", "--json", str(file)]
    assert cli.main(["bench", *options]) == 0
    numbers = json.loads(file.read_text())
    assert numbers.keys() >= KEYS
    assert (numbers["tracker"], numbers["device"]) == ("ARDiMP_lite", "cpu")
    assert numbers["precision"] == "float32"
    assert numbers["frame_over_unit"] == pytest.approx(
        numbers["frame_ms"]["median"] / numbers["unit_ms"], abs=1e-3
    )
    assert numbers["frame_over_search"] == pytest.approx(
        numbers["frame_ms"]["median"] / numbers["search_ms"], abs=1e-3
    )
    assert numbers["realtime"]["frames"] == 2
    for stages in (numbers["stages"], numbers["init_stages"]):
        assert all(value >= 0 for value in stages.values())
    of_frame = ("decoding", "base crop", "base network", "localize", "box ascent", "region", "mask")
    assert {*of_frame, "refinement crop", "refinement network", "rest"} <= numbers["stages"].keys()
    assert {"augmentation", "filter optimizer", "reference"} <= numbers["init_stages"].keys()
    assert "base network" in capsys.readouterr().out
