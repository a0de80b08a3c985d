"""Runs that are all shorter than the EAO interval: a dash and why, in all that is shown."""

import json
import re
from pathlib import Path

import pytest

from tests.reliability.processes import make_workspace
from tests.toolkit.make import make_sequences
from vot_integration.cli import main
from vot_integration.evaluation.evaluate import evaluate

REMARK = "no run is as long as the EAO interval 30-100 (the longest has 12 frames)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with results of a tracker that never fails and of one that always does."""
    folder = tmp_path_factory.mktemp("short")
    workspace = make_workspace(folder / "w", make_sequences(folder / "sequences"))
    for tracker in ("steady", "lost"):
        evaluate(workspace, tracker, lambda _: None)
    assert main(["init", str(workspace.folder), "--eao-interval", "30", "100"]) == 0
    return workspace.folder


def test_table_and_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "scores.json"
    where = ["--workspace", str(folder), "--json", str(file)]
    assert main(["analyze", "steady", *where]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"baseline +│ +– │ +0\.\d{3} │ +1\.000 ", shown)
    assert f"EAO of baseline: {REMARK}: set another" in shown
    assert json.loads(file.read_text())["experiments"]["baseline"]["eao"] is None

    assert main(["analyze", "lost", *where]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"baseline +│ +0\.000 │ +0\.000 │ +0\.000 ", shown)
    assert f"{REMARK}, so only failed runs count" in shown
    assert json.loads(file.read_text())["experiments"]["baseline"]["eao"] == 0.0


def test_terminal_without_a_dash(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console.Console.encoding", "ascii")
    assert main(["analyze", "steady", "--workspace", str(folder)]) == 0
    assert re.search(r"baseline +\|   - \|", capsys.readouterr().out)


def test_compare(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "lost", "steady", "--workspace", str(folder)]) == 0
    shown = capsys.readouterr().out
    rows = [line.split("│")[1:3] for line in shown.splitlines() if "│" in line]
    assert [(name.strip(), eao.strip()) for name, eao in rows] == [
        ("lost", "0.000"),
        ("steady", "–"),
        ("difference", "–"),
        ("95 % interval", "–"),
        ("verdict", "–"),
    ]
    assert f"EAO of steady: {REMARK}: set" in shown and "EAO of lost: no run" in shown
    assert "Difference: lost minus steady" in shown


def test_report(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert main(["report", "lost", "steady", "--workspace", str(folder), "-o", str(file)]) == 0
    page = file.read_text()
    rows = [re.sub(r"<[^>]*>|\s+", " ", row) for row in re.findall(r"(?s)<tr>.*?</tr>", page)]
    [lost] = [row for row in rows if re.match(r" +lost +baseline ", row)]
    [steady] = [row for row in rows if re.match(r" +steady +baseline ", row)]
    assert lost.split()[2:6] == ["0.000", "0.000", "to", "0.000"]
    assert steady.split()[2:4] == ["–", "–"] and "0.000" not in steady
    assert f"EAO of steady (baseline): {REMARK}: set" in page
    assert f"{REMARK}, so only failed runs count" in page
    assert "differs from what its result files say" not in page
