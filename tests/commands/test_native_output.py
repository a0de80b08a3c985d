"""Standard error of commands, as a terminal shows it: their own lines and no others."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.toolkit.make import make_sequences

ARVOT = [sys.executable, "-m", "vot_integration"]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Sequences whose first frame is a JPEG that is cut off, of which libjpeg says so itself."""
    folder = make_sequences(tmp_path / "sequences", ["dark"])
    first = folder / "dark" / "color" / "00000001.jpg"
    first.write_bytes(first.read_bytes()[:150])
    return folder


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", [["sequences", "check"], ["init", "w", "--sequences"]])
def test_one_line_and_it_is_ours(command: list[str], broken: Path, tmp_path: Path) -> None:
    words = [str(tmp_path / "w") if word == "w" else word for word in command]
    done = run(*ARVOT, *words, broken)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line for line in lines if not line.startswith("arvot: ")] == [] and len(lines) == 1
    assert "00000001.jpg" in lines[0]


_CODE = """
import os, sys, warnings
from vot_integration.commands.native_output import held_back
with held_back():
    os.write(2, b"Premature end of JPEG file\\nlibpng error: Read Error\\n")
    os.write(2, b"[mov,mp4,m4a @ 0x5581] moov atom not found\\n[ WARN:0@0.1] global cap.cpp\\n")
    warnings.warn("the driver is too old")
    print("ours", file=sys.stderr)
    os.write(2, b"a word that is not known\\n")
    {last}
print("after", file=sys.stderr)
"""


def test_what_is_not_known_is_shown_after_ours() -> None:
    done = run(sys.executable, "-c", _CODE.format(last=""))
    assert done.stderr.splitlines() == ["ours", "a word that is not known", "after"]


def test_a_crash_is_not_silent() -> None:
    done = run(sys.executable, "-c", _CODE.format(last="import faulthandler; os.abort()"))
    assert "ours" in done.stderr and "Fatal Python error: Aborted" in done.stderr
