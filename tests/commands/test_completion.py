"""What shells complete, asked of bash itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from vot_integration.cli import COMMANDS, main
from vot_integration.commands.completion import SHELLS

BASH = shutil.which("bash")

_ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
function=$(complete -p arvot | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$function arvot "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script for bash."""
    with pytest.MonkeyPatch.context() as patch:
        written: list[str] = []
        patch.setattr("vot_integration.commands.completion.sys.stdout.write", written.append)
        assert main(["completion", "bash"]) == 0
    file = tmp_path_factory.mktemp("completion") / "arvot"
    file.write_text("".join(written))
    return file


@pytest.mark.skipif(BASH is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "among"),
    [
        (["ev"], {"evaluate"}),
        (["evaluate", "--ex"], {"--experiments"}),
        (["evaluate", "ARDiMP_l"], {"ARDiMP_lite", "ARDiMP_lite_box"}),
        (["evaluate", "ARDiMP_lite", "DiMPl"], {"DiMPlite"}),
        (["run", "--tracker", "DiMPs"], {"DiMPsuper"}),
        (["run", "--stack", "vot2022/s"], {"vot2022/shortterm", "vot2022/shorttermbox"}),
        (["run", "--experiments", "b"], {"baseline"}),
        (["weights", "fetch", "sup"], {"super_dimp"}),
        (["train", "re"], {"refine"}),
        (["completion", "f"], {"fish"}),
    ],
)
def test_bash_completes(words: list[str], among: set[str], script: Path) -> None:
    assert BASH is not None
    command = [BASH, "--norc", "-c", _ASK, "bash", str(script), "arvot", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert among <= set(done.stdout.split()) and done.stderr == ""
    assert all(found.startswith(words[-1]) for found in done.stdout.split())


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_bash_completes_files(script: Path, tmp_path: Path) -> None:
    assert BASH is not None
    (tmp_path / "sequences").mkdir()
    (tmp_path / "seen.txt").touch()
    for option, expected in (("--sequences", {"sequences"}), ("--json", {"sequences", "seen.txt"})):
        words = ["arvot", "run", option, f"{tmp_path}/se"]
        command = [BASH, "--norc", "-c", _ASK, "bash", str(script), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert {Path(found).name for found in done.stdout.split()} == expected


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_in_every_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in text] == []
    assert "--eao-interval" in text


def test_another_shell_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    error = capsys.readouterr().err
    assert "choose from" in error and "fish" in error and error.count("\n") == 1
