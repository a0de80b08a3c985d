"""`arvot benchmark` as users type it."""

import json
import shutil
from pathlib import Path

import pytest

from tests.onepass.test_score import ROWS, write
from vot_integration.cli import main


@pytest.fixture
def lasot(tmp_path: Path) -> Path:
    names = ("car-1", "dog-2")
    truth = {f"set/{name[:3]}/{name}/groundtruth.txt": ROWS for name in names}
    return write(tmp_path, {**truth, **{f"results/Mine/{name}.txt": ROWS for name in names}})


def test_scores_are_printed_with_their_convention_and_written(
    lasot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = lasot / "scores.json"
    arguments = [str(lasot / "results"), "--truth", str(lasot / "set"), "--layout", "lasot"]
    assert main(["benchmark", "score", *arguments, "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "lasot, convention official (the LaSOT toolkit)" in shown and "Mine" in shown
    document = json.loads(file.read_text())
    assert (document["benchmark"], document["convention"]) == ("lasot", "official")
    numbers = document["trackers"]["Mine"]
    scores = ("op50", "op75", "precision", "norm_precision", "ao", "sr50", "sr75")
    assert [numbers[key] for key in scores] == [1.0] * len(scores)
    assert numbers["auc"] == pytest.approx(20 / 21), "an overlap of 1 is not above 1"
    assert (numbers["sequences"], numbers["frames"], numbers["fps"]) == (2, 6, None)


def test_zip_files_are_scored_as_folders_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archives of a server, with the tracker's folder and without; truth without frames."""
    monkeypatch.chdir(write(tmp_path, {"anno/Ab1_0.txt": ROWS, "results/Ab1_0.txt": ROWS}))
    write(tmp_path, {"wrapped/Mine/Ab1_0/Ab1_0.txt": ROWS})
    for folder in ("anno", "results", "wrapped"):
        shutil.make_archive(folder, "zip", folder)
    for file, name in (("results.zip", "results"), ("wrapped.zip", "Mine")):
        given = [file, "--truth", "anno.zip", "--layout", "trackingnet", "--json", "a.json"]
        assert main(["benchmark", "score", *given]) == 0
        assert f"frames with an answer: {name} 100.00" in capsys.readouterr().out
        numbers = json.loads(Path("a.json").read_text())["trackers"][name]
        assert (numbers["ao"], numbers["coverage"], numbers["frames"]) == (1.0, 1.0, 3)
    assert main(["benchmark", "report", "results.zip", *given[1:5]]) == 0
    assert "results" in (tmp_path / "benchmark.html").read_text()


def test_a_sequence_without_results_is_said_by_the_exit_status(
    lasot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lasot / "results" / "Mine" / "dog-2.txt").unlink()
    arguments = [str(lasot / "results"), "--truth", str(lasot / "set"), "--layout", "lasot"]
    assert main(["benchmark", "score", *arguments]) == 1
    assert "1 of 2 sequences have no results, such as dog-2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--layout": "lasott"}, "unknown layout 'lasott'; choose one of otb"),
        ({"--convention": "votkit"}, "unknown convention 'votkit'; choose one of official"),
        ({"--truth": "nowhere"}, "there is no folder nowhere"),
        ({"results": "nowhere"}, "there is no folder nowhere: give one with result files"),
        ({"results": "set"}, "holds no results of the 2 sequences"),
        ({"--json": "nowhere/a.json"}, "--json nowhere/a.json: there is no folder nowhere"),
    ],
)
def test_bad_input_is_one_line(
    lasot: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    message: str,
) -> None:
    monkeypatch.chdir(lasot)
    options = {"--truth": "set", "--layout": "lasot", "results": "results", **changes}
    results = options.pop("results")
    given = [word for pair in options.items() for word in pair]
    assert main(["benchmark", "score", results, *given]) == 2
    output = capsys.readouterr()
    assert message in output.err and output.err.count("\n") == 1 and not output.out
