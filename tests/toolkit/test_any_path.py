"""Paths of any characters: of frames, sequences, workspace, temporary files and trackers."""

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest

from alpharefine import Box
from alpharefine.errors import UsageError
from tests.toolkit.make import TRACKERS, make_sequences
from vot_integration.cli import main
from vot_integration.doctor.plan import DoctorOptions, list_checks
from vot_integration.errors import EvaluationError
from vot_integration.plain_paths import PlainPaths, is_plain, plain_text
from vot_integration.toolkit.plain_output import escaped_copy
from vot_integration.toolkit.tracker_runtime import TrackerRuntime

ODD = "Jürgen 名 50% %d [1] #'\"; $x"


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with such a name, which temporary files are in, too."""
    folder = tmp_path / ODD
    (folder / "temp").mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(folder / "temp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def write_ini(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "modules").symlink_to(TRACKERS)
    file = folder / "mine.ini"
    file.write_text("[oracle]\nprotocol = traxpython\ncommand = oracle\npaths = modules\n")
    return file


def test_evaluated_and_scored_whatever_the_paths(
    odd: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("名 [1] 100%", "$x_1$ <b>%d")
    sequences = make_sequences(odd / "sequences", names)
    ini, workspace, scores = write_ini(odd / "lab"), odd / "w", odd / "scores.json"
    given = ["--sequences", str(sequences), "--trackers", str(ini), "--eao-interval", "2", "8"]
    assert main(["init", str(workspace), *given]) == 0
    chosen = ["--workspace", str(workspace), "--experiments", "baseline"]
    assert main(["evaluate", "oracle", *chosen]) == 0, capsys.readouterr().err
    assert main(["analyze", "oracle", *chosen, "--json", str(scores)]) == 0
    assert json.loads(scores.read_text())["experiments"]["baseline"]["robustness"] == 1.0
    folders = (workspace / "results" / "oracle" / "baseline").iterdir()
    assert {folder.name for folder in folders} == set(names)
    assert list((odd / "temp").iterdir()) == []


def test_the_trial_lies_in_the_workspace(odd: Path) -> None:
    sequences = make_sequences(odd / "sequences", ["dark"])
    workspace = odd / "a:b"
    given = ["--sequences", str(sequences), "--trackers", str(write_ini(odd / "lab"))]
    assert main(["init", str(workspace), *given]) == 0
    before = sorted(workspace.iterdir())
    checks = {
        check.subject: check.find for check in list_checks(DoctorOptions("oracle", workspace))
    }
    [found] = checks["trial"]()
    assert "oracle shook hands with the toolkit" in found.text
    assert sorted(workspace.iterdir()) == before


def test_a_tracker_of_ones_own_is_shown_frames_with_any_name(odd: Path) -> None:
    sequences = make_sequences(odd / "sequences", ["dark"])
    registry = write_ini(odd / "lab")
    registry.write_text(
        f"[wanders]\nprotocol = traxpython\ncommand = wanders\npaths = {TRACKERS}\n"
        f"python = {sys.executable}\n"
    )
    tracker = TrackerRuntime(registry, "wanders")
    frames = (sequences / "dark" / "color").rename(sequences / "dark" / "färg")
    try:
        tracker.initialize(frames / "00000001.jpg", Box(8, 10, 16, 16))
        assert tracker.update(frames / "00000002.jpg").shape is not None
    finally:
        tracker.stop()


def test_a_tracker_may_write_any_characters_and_its_failure_is_told_whole(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences", ["dark"])
    registry = tmp_path / "mine.ini"
    registry.write_text(
        f"[chats]\nprotocol = trax\ncommand = {sys.executable} {TRACKERS}/chats.py\n"
    )
    tracker, frame = TrackerRuntime(registry, "chats"), sequences / "dark/color/00000001.jpg"
    try:
        tracker.initialize(frame, Box(8, 10, 16, 16))
        tracker.update(frame)
        with pytest.raises(EvaluationError) as raised:
            tracker.update(frame)
    finally:
        tracker.stop()
    assert "  l\\xe4uft \\xff\n  \\u540d\n" in str(raised.value)
    assert "FileNotFoundError: no weights in /home/J\\xfcrgen" in str(raised.value)


def test_escapes_wait_for_the_rest_of_a_character_and_nothing_else_waits() -> None:
    source, sink = os.pipe()
    copy = escaped_copy(source)
    os.close(source)
    said = []
    for part in (b"a\xe5", b"\x90\x8db\xff", "c\ne\xcc".encode("latin-1")):
        os.write(sink, part)
        said.append(os.read(copy, 99))
    os.close(sink)
    assert said == [b"a", b"\\u540db\\xff", b"c\ne"] and os.read(copy, 99) == b"\\xcc"
    os.close(copy)


def test_links_only_where_they_are_needed(odd: Path) -> None:
    paths = PlainPaths()
    assert paths.of("/data/my set/0001.jpg") == "/data/my set/0001.jpg"
    (odd / "färg").mkdir()
    first, second = (paths.of_file(f"{odd}/färg/{name}.jpg") for name in ("0001", "0002"))
    assert Path(first).parent == Path(second).parent and is_plain(first)
    assert Path(first).parent.samefile(odd / "färg")
    strange = paths.of_file(f"{odd}/färg/名.jpg")
    assert is_plain(strange) and strange.endswith(".jpg")
    home = Path(first).parents[1]
    paths.close()
    assert not home.exists()


def test_no_place_for_links_is_said(odd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vot_integration.plain_paths._SHARED_FOLDERS", ("/no/such/folder",))
    with pytest.raises(UsageError, match="set TMPDIR to one that can be written"):
        PlainPaths().of(str(odd))


def test_a_name_that_is_no_text_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/J\xfcrgen")
    for given in ([folder], [str(tmp_path / "w"), "--sequences", folder]):
        assert main(["init", *given]) == 2
        error = capsys.readouterr().err
        assert "J\\udcfcrgen: this name is not in UTF-8" in error and error.count("\n") == 1


def test_what_is_said_over_trax() -> None:
    assert plain_text("no file /Jürgen/名: 50%") == "no file /J\\xfcrgen/\\u540d: 50%"
