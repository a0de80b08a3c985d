"""Workspaces of the trackers of these tests, and `arvot` as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability.trackers import NAMES
from tests.toolkit.make import RECORD
from vot_integration.toolkit.stacks import load_stack
from vot_integration.workspaces.dataset import read_dataset
from vot_integration.workspaces.workspace import Workspace, WorkspaceSpec, open_workspace

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 300
"""After which a process that hangs fails the test."""


def make_workspace(folder: Path, sequences: Path, stack: str = "vot2020") -> Workspace:
    """A workspace with the baseline experiment in which the trackers of these tests can run."""
    chosen = load_stack(stack).select(["baseline"]).with_interval((2, 8))
    own = {
        name: {
            "protocol": "traxpython",
            "command": "tests.reliability.trackers",
            "python": sys.executable,
            "paths": str(ROOT),
            "env_TEST_TRACKER": name,
            "env_TEST_GATE": str(folder / "gate"),
            "env_OMP_NUM_THREADS": "1",
            "env_ARVOT_LOG_DIR": str(folder / "logs" / "trackers"),
        }
        for name in NAMES
    }
    dataset = read_dataset(sequences, chosen)
    records = dict.fromkeys(NAMES, RECORD)
    return open_workspace(WorkspaceSpec(folder, dataset, chosen, records, own))


@contextmanager
def arvot(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`arvot` with its output in a pipe; killed at the end if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vot_integration", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run_arvot(*arguments: object) -> tuple[int, str]:
    """Exit code and output of a command."""
    with arvot(*arguments) as process:
        output, _ = process.communicate(timeout=LIMIT_S)
        return process.returncode, output


def children(pid: int) -> list[int]:
    """Processes that a process has started and that still run."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        texts = [(task / "children").read_text() for task in tasks]
    except OSError:
        return []
    return [int(child) for text in texts for child in text.split()]


def family(pid: int) -> list[int]:
    """`arvot`, the toolkit that it runs and the tracker that this runs, as far as they are there.

    None of them is more than one process here.
    """
    line = [pid]
    while below := children(line[-1]):
        line.append(below[0])
    return line


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pids: list[int]) -> None:
    """Wait for processes that are not ours to wait for."""
    end = time.monotonic() + LIMIT_S
    while any(map(is_running, pids)):
        assert time.monotonic() < end, f"still there: {pids}"
        time.sleep(0.05)
