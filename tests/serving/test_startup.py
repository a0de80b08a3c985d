"""What holds before the first request: light imports, environment, log, names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from tests.serving.conftest import ROOT
from vot_integration.regions.answers import Output, resolve_output
from vot_integration.serving.process import available_cores, set_compute_defaults
from vot_integration.serving.run_log import open_log

HEAVY = {"torch", "numpy", "cv2", "trax", "shapely", "alpharefine"}


def test_nothing_heavy_is_imported_before_the_descriptors_are_protected() -> None:
    code = (
        "import sys, vot_integration.server; print(*{name.split('.')[0] for name in sys.modules})"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(run.stdout.split())


def test_the_environment_is_set_before_the_tracker_is_loaded(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from vot_integration.server import serve\n"
        "def load(name):\n"
        "    assert 'torch' not in sys.modules\n"
        "    names = 'OMP_NUM_THREADS', 'OMP_WAIT_POLICY', 'GOMP_SPINCOUNT'\n"
        "    print('SEEN', *map(os.environ.get, names), name)\n"
        "    sys.exit('enough')\n"
        "sys.exit(serve(load, name='X_box'))\n"
    )
    environment = os.environ | {"ARVOT_LOG_DIR": str(tmp_path), "OMP_NUM_THREADS": "3"}
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        environment.pop(name, None)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, input=b"", capture_output=True
    )
    log = next(tmp_path.glob("X_box-*.log")).read_text()
    assert run.returncode == 1
    assert "SEEN 3 PASSIVE 1000 X" in log
    # Standard error carries nothing, and standard output TraX alone.
    assert run.stderr == b""
    assert run.stdout.startswith(b"@@TRAX:hello")


def test_the_user_overrides_the_thread_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    for name in ("MKL_NUM_THREADS", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    set_compute_defaults()
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    assert "GOMP_SPINCOUNT" not in os.environ
    assert os.environ["MKL_NUM_THREADS"] == str(available_cores())


@pytest.mark.parametrize(
    ("quota", "limit"), [("50000 100000", 1), ("150000 100000", 2), ("max 100000", None)]
)
def test_the_quota_of_a_container_bounds_the_threads(
    tmp_path: Path, quota: str, limit: int | None
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")
    affinity = len(os.sched_getaffinity(0))
    assert available_cores(file) == min(affinity, limit or affinity)
    assert available_cores(tmp_path / "absent") == affinity


def test_a_log_is_made_even_where_its_folder_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("ARVOT_LOG_DIR", str(blocked))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    descriptor, path = open_log("../../evil name")
    os.close(descriptor)
    assert path.parent == tmp_path / "state" / "arvot" / "logs"
    assert path.name.startswith("_.._evil_name-")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(blocked))
    descriptor, path = open_log("name")
    os.close(descriptor)
    assert path == Path(os.devnull)


@pytest.mark.parametrize(
    ("name", "output", "expected"),
    [
        ("ARDiMP_lite", None, ("ARDiMP_lite", Output.MASK)),
        ("ARDiMP_lite", "box", ("ARDiMP_lite", Output.BOX)),
        ("ARDiMP_lite_box", "", ("ARDiMP_lite", Output.BOX)),
        ("ARDiMP_v20_rotated", "rotated", ("ARDiMP_v20", Output.ROTATED)),
        ("_box", None, ("_box", Output.MASK)),
    ],
)
def test_names_and_outputs(name: str, output: str | None, expected: tuple[str, Output]) -> None:
    assert resolve_output(name, output) == expected


@pytest.mark.parametrize(("name", "output"), [("", None), ("A_box", "mask"), ("A", "circle")])
def test_contradicting_names_are_refused(name: str, output: str | None) -> None:
    with pytest.raises(UsageError):
        resolve_output(name, output)


def test_a_user_at_a_terminal_is_told_what_this_is(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "TRAX"}
    run = subprocess.run(
        [sys.executable, "-m", "vot_integration.server", "--tracker", "ARDiMP_lite"],
        cwd=ROOT,
        env=environment | {"ARVOT_LOG_DIR": str(tmp_path / "logs")},
        stdin=theirs,
        capture_output=True,
        text=True,
    )
    os.close(ours)
    os.close(theirs)
    assert run.returncode == 2
    assert "arvot run" in run.stderr
    assert not (tmp_path / "logs").exists()
