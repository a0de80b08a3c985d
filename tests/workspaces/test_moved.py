"""Sequences that have moved since a workspace was made for them."""

import shutil
from pathlib import Path

import pytest

from tests.toolkit.make import make_sequences
from vot_integration.cli import main
from vot_integration.workspaces.manifest import read_manifest
from vot_integration.workspaces.workspace import load_workspace

GIVEN = ["--eao-interval", "2", "8"]


@pytest.fixture
def moved(tmp_path: Path) -> tuple[Path, Path]:
    """A workspace, and where its sequences are now, listed in another order."""
    old, new = make_sequences(tmp_path / "old disk"), tmp_path / "new disk"
    assert main(["init", str(tmp_path / "my work"), "--sequences", str(old), *GIVEN]) == 0
    old.rename(new)
    (new / "list.txt").write_text("bright\ndark\n")
    return tmp_path / "my work", new


def test_the_message_names_the_command(
    moved: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, _ = moved
    for command in ("evaluate", "analyze", "report", "pack"):
        assert main([command, "--workspace", str(workspace)]) == 2
        error = capsys.readouterr().err
        assert f"`arvot init '{workspace}' --sequences NEW`" in error and error.count("\n") == 1
    assert main(["init", str(workspace)]) == 2
    assert "--sequences NEW`" in capsys.readouterr().err


def test_the_workspace_follows(
    moved: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, new = moved
    capsys.readouterr()
    assert main(["run", "--workspace", str(workspace), "--sequences", str(new)]) == 2
    assert f"--sequences '{new}'` lets it take" in capsys.readouterr().err
    assert main(["init", str(workspace), "--sequences", str(new)]) == 0
    assert f"note: the sequences are taken from {new} now" in capsys.readouterr().out
    found = load_workspace(workspace)
    assert [entry.path for entry in found.dataset.sequences] == [new / "dark", new / "bright"]
    assert (found.dataset.source, found.interval) == (str(new), (2, 8))
    assert main(["init", str(workspace)]) == 0
    assert "note" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("truth", "their ground truth, anchors or properties differ"),
        ("one less", "dark is not among them"),
        ("one more", "third is one more"),
    ],
)
def test_other_sequences_are_still_refused(
    change: str, words: str, moved: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, new = moved
    if change == "truth":
        (new / "dark" / "groundtruth.txt").write_text("1,1,9,9\n" * 12)
    elif change == "one less":
        (new / "list.txt").write_text("bright\n")
    else:
        shutil.copytree(new / "dark", new / "third")
        (new / "list.txt").write_text("bright\ndark\nthird\n")
    before = (workspace / "sequences" / "list.txt").read_bytes()
    manifest = read_manifest(workspace)
    assert main(["init", str(workspace), "--sequences", str(new)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert (workspace / "sequences" / "list.txt").read_bytes() == before
    assert read_manifest(workspace) == manifest
