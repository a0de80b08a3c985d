"""benchmarks/refinement_gain.py: the table's numbers, on a few frames and with the static box."""

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from alpharefine.types import Box, Estimate, Image
from vot_integration.sequences.builtin import write_builtin_sequences
from vot_integration.sequences.folder import read_sequence_folder

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def gain() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("refinement_gain")


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sequences")
    write_builtin_sequences(folder, ["kite"], 14)
    return folder


class _Follower:
    """Answers the truth's box, or nothing useful from frame `until` of each run on."""

    def __init__(self, boxes: list[Box], until: int = 10**6) -> None:
        self.boxes, self.until, self.starts = boxes, until, 0

    def initialize(self, image: Image, target: Box) -> None:
        self.starts += 1
        self.seen = 0

    def track(self, image: Image) -> Estimate:
        self.seen += 1
        lost = self.seen >= self.until
        return Estimate(Box(0, 0, 1, 1) if lost else self.boxes[self.seen], None, 1.0)

    def set_state(self, box: Box) -> None:
        raise AssertionError


def _truth(gain: ModuleType, sequences: Path) -> tuple[Any, list[Box]]:
    sequence = read_sequence_folder(sequences / "kite")
    return sequence, [Box(*gain._truth_box(sequence, n)) for n in range(sequence.length)]


def test_a_run_on_the_true_boxes_has_full_success(gain: ModuleType, sequences: Path) -> None:
    sequence, boxes = _truth(gain, sequences)
    result = gain.run_sequence(_Follower(boxes), sequence, ("base",))["base"]
    assert len(result.overlaps[0]) == len(result.truth) == sequence.length
    assert result.success > 0.95
    assert json.loads(json.dumps(result.plain()))["sequence"] == "kite"


def test_lost_runs_end_but_the_whole_one(gain: ModuleType, sequences: Path) -> None:
    sequence, boxes = _truth(gain, sequences)
    tracker = _Follower(boxes, until=2)
    result = gain.run_sequence(tracker, sequence, ("base",))["base"]
    assert tracker.starts == len(result.overlaps) >= 1
    measures = result.measures(20)
    assert measures.tracked == 2 * tracker.starts, "the first frame, and the one that was answered"
    assert all(
        len(run) == len(seen) for run, seen in zip(result.overlaps, result.present, strict=True)
    )


def test_gains_are_those_of_the_same_sequences(gain: ModuleType, sequences: Path) -> None:
    sequence, boxes = _truth(gain, sequences)
    good = gain.run_sequence(_Follower(boxes), sequence, ("box",))["box"]
    bad = gain.run_sequence(_Follower(boxes, 3), sequence, ("base",))["base"]
    report = importlib.import_module("refinement_gain_report")
    scores = report.score([("set", "base", bad), ("set", "box", good)], (2, 8))["set"]
    value, low, high = scores["box"].eao_gain
    assert value == pytest.approx(scores["box"].eao - scores["base"].eao)
    assert low == pytest.approx(value) == pytest.approx(high), "one sequence has no spread"
    assert scores["box"].success_gain[0] == pytest.approx(good.success - bad.success)
    assert scores["base"].eao_gain is None


def test_the_command_writes_a_table_and_goes_on(
    gain: ModuleType, sequences: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [str(sequences), "--output", str(tmp_path), "--trackers", "static"]
    command += ["--eao-interval", "2", "8", "--device", "cpu"]
    assert gain.main(command) == 0
    table = (tmp_path / "table.md").read_text()
    assert "| static |" in table and "| static + mask | ar_lite |" in table
    (row,) = json.loads((tmp_path / "table.json").read_text())
    name = sequences.name
    kinds = row["sets"][name]
    assert list(kinds) == ["base", "box", "mask"]
    assert kinds["box"]["success"] == kinds["mask"]["success"] != kinds["base"]["success"]
    assert (tmp_path / "gain.png").stat().st_size > 1000
    times = importlib.import_module("refinement_gain_times")
    monkeypatch.setattr(times, "is_steady", lambda units: True)
    monkeypatch.setattr(gain, "run_sequence", None)
    assert gain.main([*command, "--latency", "6"]) == 0
    (timed,) = json.loads((tmp_path / "table.json").read_text())
    assert list(timed["times"]) == ["base", "box", "mask"]
    assert all(each["ms"] > 0 and each["units"] > 0 for each in timed["times"].values())
    table = (tmp_path / "table.md").read_text()
    assert gain.main(command) == 0, "nothing is run twice"
    assert (tmp_path / "table.md").read_text() == table


def test_unknown_trackers_are_refused(
    gain: ModuleType, sequences: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "none"
    command = [str(sequences), "--output", str(output), "--trackers", "DiMPsuper"]
    assert gain.main(command) == 2
    assert "no base tracker 'DiMPsuper' with weights" in capsys.readouterr().out
    assert not output.exists()


def test_own_trackers_and_those_with_weights_are_rows(gain: ModuleType) -> None:
    found = {pair.name: pair.refinement for pair in gain.pairs(None, "cpu")}
    assert {"DiMPlite", "SiamRPN_lite", "ATOM_lite", "ECO_lite", "ECO_hc", "MIL", "static"} <= {
        *found
    }
    assert found["ATOM_lite"] == "ar_lite" and "RTMDNet" not in found
