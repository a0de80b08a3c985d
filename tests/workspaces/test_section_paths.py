"""Paths and commands in a trackers.ini: made absolute, or named where they cannot work."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.toolkit.make import make_sequences
from vot_integration.cli import main
from vot_integration.doctor.environment import check_environment
from vot_integration.doctor.findings import Severity
from vot_integration.workspaces.launch import read_launch


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with code, which is the home as well."""
    folder = tmp_path / "my lab"
    for name in ("code", "more", "it's"):
        (folder / name).mkdir(parents=True)
    (folder / "code" / "raw.py").write_text("")
    (folder / "run it.sh").write_text("")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("LAB", str(folder))
    monkeypatch.delenv("NOPE", raising=False)
    return folder


def written(lab: Path, *lines: str) -> tuple[Path, str]:
    """The workspace's trackers.ini, and what `arvot init` has said of a section of such lines."""
    file = lab / "mine.ini"
    file.write_text("\n".join(["[Mine]", *lines, ""]))
    workspace = lab.parent / "w"
    sequences = lab.parent / "sequences"
    if not sequences.exists():
        make_sequences(sequences, ["dark"])
    given = ["--sequences", str(sequences), "--eao-interval", "2", "8", "--trackers", str(file)]
    assert main(["init", str(workspace), *given]) == 0
    return workspace / "trackers.ini", str(file)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("code", "{lab}/code"),
        ("code:more", "{lab}/code:{lab}/more"),
        ('"code"', "{lab}/code"),
        ("'{lab}/code'", "{lab}/code"),
        ('"code":"more"', "{lab}/code:{lab}/more"),
        ('"code:more"', "{lab}/code:{lab}/more"),
        ("~/code", "{lab}/code"),
        ("$LAB/code:${{LAB}}/more", "{lab}/code:{lab}/more"),
        ('"$LAB/code"', "{lab}/code"),
        ("code : more", "{lab}/code:{lab}/more"),
        ("it's", "{lab}/it's"),
    ],
)
def test_folders_are_what_their_author_meant(
    value: str, expected: str, lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = f"Paths = {value.format(lab=lab)}"
    ini, _ = written(lab, "Protocol = traxpython", "command = raw", entry)
    assert read_launch(ini, "Mine").paths == expected.format(lab=lab)
    output = capsys.readouterr().out
    assert ("note: " in output) == ('"' in value or "'{" in value)
    assert ("the quotes in Paths are left out" in output) == ("note: " in output)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("/nowhere;code", "/nowhere;code; : separates folders here, not ;"),
        ("C:\\Users\\me\\code", "C:\\Users\\me\\code: this is a folder of Windows"),
        ('"C:/code"', "C:/code: this is a folder of Windows"),
        ("/no/such/folder", "there is no folder /no/such/folder"),
        ("$NOPE/code", "there is no folder $NOPE/code; the variable NOPE is not set"),
        ("~nobody_here/code", "~nobody_here/code; ~ is not expanded"),
        ("code  # mine", "a comment needs a line of its own"),
        ("code/raw.py", "code/raw.py, which is no folder"),
        ("\n  code\n  more", "paths has several lines"),
    ],
)
def test_folders_that_are_none_are_named_by_init_and_doctor(
    value: str, words: str, lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ("protocol = traxpython", "command = raw", f"paths = {value}")
    ini, file = written(lab, *lines)
    output = capsys.readouterr().out
    assert words in output and f"note: {file}, section Mine: paths" in output
    [found] = check_environment(ini, "Mine")
    assert found.severity is Severity.ERROR and words in found.text
    assert "there is no module raw in" in found.text and f"section Mine of {ini}" in found.remedy


@pytest.mark.parametrize(
    ("protocol", "command", "words"),
    [
        ("traxpython", '"python raw.py"', "leave out the quotes"),
        ("traxpython", "'raw'", "leave out the quotes"),
        ("traxpython", "raw.py", "this is a file"),
        ("traxpython", "code/raw.py", "this is a file"),
        ("traxpython", "python raw.py", "these are no Python statements"),
        ("trax", 'sh "raw.py', "a quote is opened and not closed"),
        ("trax", "sh code/gone.py", "command names code/gone.py"),
        ("trax", "./gone", "command starts ./gone"),
        ("trax", "~/gone.sh --x $LAB", "there is no program {lab}/gone.sh"),
        ("trax", r"C:\t.exe -x", r"C:\t.exe -x: this is a program of Windows"),
        ("trax", "no_such_program -x", "there is no program no_such_program"),
        (
            "trax",
            '"/no such/program"',
            "'/no such/program': leave out the quotes",
        ),
    ],
)
def test_commands_that_cannot_work(
    protocol: str, command: str, words: str, lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ini, _ = written(lab, f"protocol = {protocol}", f"command = {command}", "paths = code")
    words = words.format(lab=lab)
    assert words in capsys.readouterr().out
    [found] = check_environment(ini, "Mine")
    assert found.severity is Severity.ERROR and words in found.text


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("sh 'run it.sh' -v", ["sh", "{lab}/run it.sh", "-v"]),
        ('"sh code/raw.py"', ["sh", "{lab}/code/raw.py"]),
        ("run it.sh", ["{lab}/run it.sh"]),
        ("sh ~/code/raw.py", ["sh", "{lab}/code/raw.py"]),
        ("sh $LAB/code/raw.py", ["sh", "{lab}/code/raw.py"]),
        ("sh -c 'exit 1'", ["sh", "-c", "exit 1"]),
        ("sh -c exit --at $LAB", ["sh", "-c", "exit", "--at", "{lab}"]),
    ],
)
def test_programs_are_found_from_the_file_they_are_named_in(
    command: str, expected: list[str], lab: Path
) -> None:
    ini, _ = written(lab, "protocol = trax", f"command = {command}")
    words = shlex.split(read_launch(ini, "Mine").entries["command"])
    assert words == [word.format(lab=lab) for word in expected]


def test_an_interpreter_is_found_like_a_program(lab: Path) -> None:
    (lab / "my env").mkdir()
    (lab / "my env" / "python").symlink_to(sys.executable)
    for given in ("my env/python", "'my env/python'", "~/my env/python", f"{lab}/my env/python"):
        ini, _ = written(lab, "protocol = traxpython", "command = raw", f"python = {given}")
        assert read_launch(ini, "Mine").python == [str(lab / "my env" / "python")]


def test_what_is_passed_on_as_it_is(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["protocol = traxpython", "command = raw", "paths = code"]
    ini, _ = written(lab, *lines, f'env_A = "{lab}/code"', "env_B = ~/code", "env_C = {'x': '1'}")
    output = capsys.readouterr().out
    for findings in (output, " ".join(found.text for found in check_environment(ini, "Mine"))):
        assert "the quotes are passed on with the value" in findings
        assert "env_B = ~/code: ~ is passed on as it is" in findings
        assert "env_C" not in findings


def test_a_folder_with_the_separator_in_its_path(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lab / "a:b").mkdir()
    written(lab, "protocol = traxpython", "command = raw", f"paths = {lab}/a:b")
    assert "a:b: : separates folders, so link to this one" in capsys.readouterr().out


def test_a_module_that_its_interpreter_has_anyway(lab: Path) -> None:
    ini, _ = written(lab, "protocol = traxpython", "command = json.tool", "paths = gone")
    warning, good = check_environment(ini, "Mine")
    assert (warning.severity, good.severity) == (Severity.WARNING, Severity.GOOD)
    assert f"there is no folder {lab}{os.sep}gone" in warning.text
