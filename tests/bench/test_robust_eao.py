"""benchmarks/robust_eao.py: the same scores as `arvot run`, and their mean over the starts."""

import json
import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from vot.region import calculate_overlaps

from alpharefine.types import Box, Estimate, Image
from tests.toolkit.make import FRAMES, make_sequences
from vot_integration.cli import main
from vot_integration.regions.answers import Output
from vot_integration.sequences.builtin import write_builtin_sequences
from vot_integration.sequences.folder import read_sequence_folder
from vot_integration.toolkit.results import Run
from vot_integration.toolkit.scores import ExperimentScores

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "robust_eao.py"


@pytest.fixture(scope="module")
def robust() -> ModuleType:
    spec = spec_from_file_location("robust_eao", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    # Its dataclasses look their module up.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "robust_eao", module)
        spec.loader.exec_module(module)
    return module


class _Still:
    """Answers the first box for ever, and counts the frames."""

    def __init__(self) -> None:
        self.starts: list[Box] = []
        self.seen = 0

    def initialize(self, image: Image, target: Box) -> None:
        self.starts.append(target)

    def track(self, image: Image) -> Estimate:
        self.seen += 1
        return Estimate(self.starts[-1], None, 1.0)

    def set_state(self, box: Box) -> None:
        raise AssertionError


def test_the_true_start_has_the_scores_of_arvot_run(robust: ModuleType, tmp_path: Path) -> None:
    sequences = tmp_path / "sequences"
    write_builtin_sequences(sequences, ["kite"], 14)
    common = ["--tracker", "DiMPlite", "--eao-interval", "2", "8"]
    output, ran = tmp_path / "robust.json", tmp_path / "run.json"
    arguments = ["--output", str(tmp_path / "starts"), "--starts", "2", "--json", str(output)]
    assert robust.main([str(sequences), *common, *arguments]) == 0
    arguments = ["--workspace", str(tmp_path / "w"), "--json", str(ran)]
    arguments += ["--sequences", str(sequences), "--experiments", "baseline"]
    assert main(["run", *common, *arguments]) == 0
    true, shifted = json.loads(output.read_text())
    expected = json.loads(ran.read_text())["experiments"]["baseline"]
    assert true == {name: expected[name] for name in ("eao", "accuracy", "robustness")}
    assert shifted != true


def test_starts_are_the_true_box_and_its_eight_neighbors(robust: ModuleType) -> None:
    assert robust.SHIFTS[0] == (0, 0)
    assert set(robust.SHIFTS) == {(x, y) for x in (-0.5, 0, 0.5) for y in (-0.5, 0, 0.5)}
    assert len(robust.SHIFTS) == 9


def test_a_lost_run_ends_and_is_absent_afterwards(
    robust: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    sequence = read_sequence_folder(sequences / "bright")
    monkeypatch.setattr(robust, "_LOST_FRAMES", 2)
    tracker = _Still()
    run = Run("baseline", "bright", "bright_00000000", FRAMES)
    regions = robust._track(tracker, sequence, run, (0.5, -0.5), Output.BOX)
    overlaps = _overlaps(regions[1:], sequence.regions[1:])
    lost = int(np.argmax(np.array(overlaps) <= 0.1))
    assert len(regions) == FRAMES
    assert tracker.seen == lost + 2 < FRAMES - 1
    assert all(region.is_empty() for region in regions[tracker.seen + 1 :])
    box = tracker.starts[0]
    assert (box.x % 1, box.y % 1) == (0.5, 0.5)


def _overlaps(regions: Sequence[object], truth: Sequence[object]) -> list[float]:
    return list(calculate_overlaps(list(regions), list(truth), (64, 48)))


def test_summary_is_mean_and_spread(robust: ModuleType) -> None:
    scores = [ExperimentScores(0.4, 0.5, 0.8), ExperimentScores(0.6, 0.5, None)]
    summary = robust.summarize(scores)
    assert summary["eao"] == pytest.approx((0.5, 0.1))
    assert summary["accuracy"] == pytest.approx((0.5, 0))
    assert summary["robustness"] == pytest.approx((0.8, 0))
