"""Bad input to `arvot run`: one line, exit code 2, nothing written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.toolkit.make import make_sequences
from vot_integration.cli import main

Spoil = Callable[[Path], object]


@pytest.fixture
def sequences(tmp_path: Path) -> Path:
    return make_sequences(tmp_path / "sequences")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "parent" / "workspace"


def run(workspace: Path, *arguments: str) -> int:
    return main(["run", "--workspace", str(workspace), *arguments])


def assert_refused(
    capsys: pytest.CaptureFixture[str], status: int, workspace: Path, *words: str
) -> None:
    error = capsys.readouterr().err
    assert status == 2
    assert error.startswith("arvot: ") and error.count("\n") == 1
    for word in words:
        assert word in error
    assert not workspace.parent.exists()


OPTIONS = {
    "tracker": (["--tracker", "Nobody"], "Nobody", "ARDiMP_lite_rotated"),
    "rectangles only": (["--tracker", "DiMPsuper_rotated"], "DiMPsuper_rotated", "choose"),
    "experiment": (["--experiments", "baseline,supervised"], "supervised", "realtime"),
    "no experiment": (["--experiments", ","], "none", "baseline"),
    "stack": (["--stack", "vot1999"], "vot1999", "vot2020"),
    "stack file": (["--stack", __file__], "not a stack file"),
    "interval order": (["--eao-interval", "50", "20"], "50 20", "LOW < HIGH"),
    "interval without frames": (["--eao-interval", "50", "50"], "50 50", "LOW < HIGH"),
    "interval sign": (["--eao-interval", "0", "20"], "0 20"),
    "interval text": (["--eao-interval", "a", "b"], "invalid int value"),
    "weights": (["--weights", "no_such_weights"], "no_such_weights"),
    "weights file": (["--weights", "missing.safetensors"], "missing.safetensors"),
    "wrong file": (["--weights", __file__], "test_bad_input.py"),
    "device": (["--device", "abacus"], "abacus"),
    "precision": (["--precision", "float7"], "float7", "bfloat16"),
    "json folder": (["--json", "no/such/folder/a.json"], "a.json", "no folder"),
    "json is folder": (["--json", str(Path(__file__).parent)], "is a folder"),
    "sequences": (["--sequences", "no_such_folder"], "no_such_folder"),
    "option": (["--color", "red"], "--color"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options(
    case: str, workspace: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, *words = OPTIONS[case]
    status = run(workspace, "--sequences", str(sequences), "--tracker", "DiMPsuper", *arguments)
    assert_refused(capsys, status, workspace, *words)


SPOILED: dict[str, tuple[Spoil, str]] = {
    "list": (lambda folder: (folder / "list.txt").unlink(), "list.txt"),
    "empty list": (lambda folder: (folder / "list.txt").write_text("\n"), "list.txt"),
    "listed": (lambda folder: shutil.rmtree(folder / "dark"), "dark"),
    "anchors": (lambda folder: (folder / "dark" / "anchor.value").unlink(), "anchor.value"),
    "no anchor": (
        lambda folder: (folder / "dark" / "anchor.value").write_text("0\n" * 12),
        "anchor.value",
    ),
    "truth": (lambda folder: (folder / "dark" / "groundtruth.txt").unlink(), "groundtruth.txt"),
    "image": (
        lambda folder: (folder / "dark" / "color" / "00000001.jpg").write_text("<html>"),
        "00000001.jpg",
    ),
    "mask": (
        lambda folder: (folder / "dark" / "groundtruth.txt").write_text("m0,0,2,2,4\n" * 12),
        "empty",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_sequences(
    case: str, workspace: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, word = SPOILED[case]
    spoil(sequences)
    status = run(workspace, "--sequences", str(sequences), "--tracker", "DiMPsuper")
    assert_refused(capsys, status, workspace, word)


def test_foreign_folder_is_left_alone(
    tmp_path: Path, sequences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")
    status = run(folder, "--sequences", str(sequences), "--tracker", "DiMPsuper")
    assert status == 2
    assert "not a workspace of arvot" in capsys.readouterr().err
    assert [file.name for file in folder.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run", "away"]])
def test_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("arvot: ") and error.count("\n") == 1


def test_help_needs_no_heavy_imports() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from vot_integration.cli import main\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'vot', 'cv2', 'rich')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "--eao-interval LOW HIGH" in done.stdout
