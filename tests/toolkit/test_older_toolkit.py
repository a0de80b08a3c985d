"""The server and the evaluation under the oldest toolkit that is supported, 0.7.3."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.conftest import Report

OLDEST = "0.7.3"
ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 3600


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment with that toolkit, all else as here."""
    folder = tmp_path_factory.mktemp("oldest")
    venv.create(folder, with_pip=False)
    interpreter = folder / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(subprocess.check_output([interpreter, "-c", code], text=True).strip())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", own]
    install = subprocess.run([*command, f"vot-toolkit=={OLDEST}"], capture_output=True, text=True)
    if install.returncode:
        pytest.skip(f"vot-toolkit {OLDEST} cannot be installed: {install.stderr[-200:]}")
    # Behind the environment's own packages, and with the editable installation of this one.
    here = sysconfig.get_path("purelib")
    (own / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return interpreter


@pytest.mark.soak
def test_everything_runs_under_the_oldest_toolkit(python: Path, figure: Report) -> None:
    code = "from importlib.metadata import version; print(version('vot-toolkit'))"
    assert subprocess.check_output([python, "-c", code], text=True).strip() == OLDEST
    options = ["-q", "-m", "not soak", "-p", "no:cacheprovider"]
    rooms = ("evaluation", "pipeline", "regions", "reliability", "serving", "toolkit", "workspaces")
    run = subprocess.run(
        [python, "-m", "pytest", *options, *(f"tests/{room}" for room in rooms)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    figure(f"toolkit {OLDEST}", run.stdout.strip().splitlines()[-1])
    assert run.returncode == 0, run.stdout[-5000:]
