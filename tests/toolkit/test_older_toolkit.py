"""The server and the evaluation under the oldest toolkit that is supported, 0.7.3."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import Report
from tests.toolkit.environments import installed_version, make_environment

OLDEST = "0.7.3"
ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 3600


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interpreter of an environment with that toolkit, all else as here."""
    return make_environment(tmp_path_factory.mktemp("oldest"), OLDEST)


@pytest.mark.soak
def test_everything_runs_under_the_oldest_toolkit(python: Path, figure: Report) -> None:
    assert installed_version(python) == OLDEST
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
