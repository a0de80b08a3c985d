"""Results that arvot has not made: by the toolkit's own commands, or copied."""

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from vot.tracker import Registry

from tests.toolkit.make import ANCHORS, FRAMES, Recorder, make_sequences, make_workspace
from vot_integration.cli import main
from vot_integration.doctor.findings import Severity
from vot_integration.doctor.state import check_workspace
from vot_integration.evaluation.evaluate import evaluate
from vot_integration.pipeline.results import tell_left_out
from vot_integration.report.document import make_report, render
from vot_integration.toolkit.results import discard_unfinished, tally_runs
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.workspace import Workspace, load_workspace, record_trackers


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"), ["baseline"])


def copy_results(workspace: Workspace, tracker: str, regions: int = FRAMES) -> Path:
    """Text without times, and without an end of the last line, as from elsewhere."""
    folder = workspace.results(tracker) / "baseline"
    for sequence in workspace.dataset.sequences:
        (folder / sequence.name).mkdir(parents=True)
        for anchor in ANCHORS:
            file = folder / sequence.name / f"{sequence.name}_{anchor:08d}.txt"
            file.write_text("\n".join(["1", *["8,10,16,16"] * (regions - 1)]))
    return folder


def test_copied_results_of_a_tracker_without_a_section_are_scored(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy_results(workspace, "Copied")
    (workspace.folder / "results" / "old results").mkdir()
    (workspace.folder / "results" / "DiMPsuper").mkdir()
    scores = tmp_path / "scores.json"
    given = ["--workspace", str(workspace.folder), "--json", str(scores)]
    assert main(["analyze", *given]) == 0
    output = capsys.readouterr().out
    assert "Made with: unknown" in output and "of which there are no times" in output
    assert "Left out: DiMPsuper has 0 of 4 results" in output
    assert "old results: the toolkit takes names of a-z" in output
    found = json.loads(scores.read_text())
    assert found["weights"] == {"name": None, "sha256": None}
    assert (found["device"], found["fps"]) == (None, None)
    assert found["experiments"]["baseline"]["frames"] == 4 * FRAMES
    assert found["experiments"]["baseline"]["accuracy"] > 0

    page = render(make_report(load_workspace(workspace.folder), ["Copied"]))
    assert "<th>made with</th><td>unknown</td>" in page
    assert "Results of Copied are not from arvot" in page
    assert "made with: unknown" in " ".join(f.text for f in check_workspace(workspace.folder))


def test_what_is_wrong_with_copied_results_is_said(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_results(workspace, "Copied", FRAMES - 1)
    assert main(["analyze", "Copied", "--workspace", str(workspace.folder)]) == 2
    error = capsys.readouterr().err
    assert f"{folder}/dark/dark_00000000.txt has 11 regions, its run has 12 frames" in error
    ini = workspace.folder / "trackers.ini"
    way = f"or register Copied in {ini} and run `arvot evaluate Copied --workspace "
    assert way in error and error.count("\n") == 1

    warning = list(check_workspace(workspace.folder))[-1]
    assert warning.severity is Severity.WARNING and way in warning.remedy
    assert "4 were cut off" in warning.text and "dark_00000000.txt has 11 regions" in warning.text


def test_what_is_wrong_is_said_of_experiments_that_are_left_out(
    tmp_path: Path,
) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "s"))
    folder = copy_results(workspace, "Copied")
    (folder / "dark" / "dark_00000000.txt").write_text("1\n")
    part = replace(workspace, stack=workspace.stack.select(["realtime"]))
    reporter = Mock()
    tell_left_out(workspace, part, ["Copied"], reporter)
    [[said]] = [call.args for call in reporter.stage.mock_calls]
    assert said.startswith("Left out: baseline, not complete for Copied (")
    assert said.endswith("dark_00000000.txt has 1 regions, its run has 12 frames)")


def test_an_evaluation_keeps_them_and_their_origin(workspace: Workspace) -> None:
    folder = copy_results(workspace, "wanders")
    cut = folder / "bright" / "bright_00000000.txt"
    cut.write_text("1\n8,10,16,16\n")
    whole = folder / "dark" / "dark_00000000.txt"
    before = whole.read_bytes()
    record = workspace.records["wanders"]
    manifest = read_manifest(workspace.folder)
    object.__setattr__(manifest, "trackers", {})
    manifest.write(workspace.folder)
    unknown = load_workspace(workspace.folder)
    assert unknown.record_of("wanders") is None
    known = record_trackers(unknown, {"wanders": record})
    evaluate(known, "wanders", Recorder())
    assert whole.read_bytes() == before
    assert cut.with_name(f"{cut.name}.unfinished").read_text() == "1\n8,10,16,16\n"
    again = record_trackers(load_workspace(workspace.folder), {"wanders": record})
    found = again.record_of("wanders")
    assert found is not None and found.foreign
    tally = tally_runs(again.runs, again.results("wanders"))
    assert (tally.frames, tally.timed) == (4 * FRAMES, FRAMES)


def test_results_of_arvot_without_times_are_repeated(workspace: Workspace) -> None:
    copy_results(workspace, "oracle")
    results = workspace.results("oracle")
    assert len(discard_unfinished(workspace.runs, results)) == 4


def make_official(folder: Path) -> Path:
    """A workspace as `vot initialize` and its documentation make it, with results."""
    make_sequences(folder / "sequences")
    (folder / "lists").mkdir()
    (folder / "lists" / "more.ini").write_text("[More]\nprotocol = trax\ncommand = /bin/true\n")
    (folder / "trackers.ini").write_text(
        "# by hand\n[Mine]\nprotocol = traxpython\ncommand = mine\npaths = code\n"
    )
    (folder / "code").mkdir()
    (folder / "config.yaml").write_text(
        "registry:\n- ./trackers.ini\n- lists/more.ini\nstack: vot2022/shorttermbox\n"
    )
    run = folder / "results" / "Mine" / "baseline" / "dark" / "dark_00000000.bin"
    run.parent.mkdir(parents=True)
    run.write_bytes(b"")
    return folder


def test_a_workspace_of_the_toolkit_is_adopted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_official(tmp_path / "official")
    config, trackers = ((folder / name).read_bytes() for name in ("config.yaml", "trackers.ini"))
    for command in (["analyze"], ["run", "--tracker", "DiMPsuper"]):
        assert main([*command, "--workspace", str(folder)]) == 2
        assert f"`arvot init {folder}` makes it one of arvot" in capsys.readouterr().err
    assert main(["init", str(folder)]) == 0
    output = capsys.readouterr().out
    assert "this was a workspace of the toolkit's own" in output
    assert "there are results of Mine, which arvot has not made" in output
    workspace = load_workspace(folder)
    assert (workspace.stack.name, workspace.interval) == ("vot2022/shorttermbox", (115, 755))
    assert set(workspace.own) == {"Mine", "More"}
    assert (folder / "config.yaml").read_bytes() == config
    assert (folder / "trackers.ini.before-arvot").read_bytes() == trackers
    registry = Registry([str(folder / "trackers.ini")])
    assert registry["Mine"].describe()["paths"] == str(folder / "code")
    assert main(["init", str(folder)]) == 0
    assert "toolkit's own" not in capsys.readouterr().out
    assert (folder / "config.yaml").read_bytes() == config
    assert main(["init", str(folder), "--eao-interval", "2", "8"]) == 0
    assert b"stack.yaml" in (folder / "config.yaml").read_bytes()


@pytest.mark.parametrize(
    ("config", "given", "words"),
    [
        ("stack: vot2018/shortterm\n", ["--stack", "vot2020"], "which stack vot2020/shortterm"),
        ("lines: 80\n", [], "is not that of a workspace of the toolkit"),
        ("stack: [\n", [], "is not that of a workspace of the toolkit"),
        ("stack: vot1999\n", [], "stack vot1999"),
        ("stack: vot2020/shortterm\nsequences: none\n", [], "without sequences"),
    ],
)
def test_what_cannot_be_adopted_is_left_alone(
    config: str,
    given: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = make_official(tmp_path / "official")
    (folder / "config.yaml").write_text(config)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(["init", str(folder), *given]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    after.pop(folder / ".arvot.lock", None)
    assert after == before
