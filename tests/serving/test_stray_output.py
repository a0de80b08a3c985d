"""Whatever a tracker writes, from Python, C or child processes, ends in the log and not in TraX."""

import subprocess
import sys
from pathlib import Path

from vot.dataset import Sequence

from tests.serving.conftest import LENGTH, ROOT, Launch, log_text
from tests.serving.test_formats import TARGETS, trace


def test_stray_output_disturbs_nothing(launch: Launch, sequence: Sequence, logs: Path) -> None:
    """`spill` writes while the tracker is loaded, initialized, and at every frame."""
    with launch() as runtime:
        expected = trace(runtime, sequence, TARGETS["mask"], 0)
    with launch("spill") as runtime:
        assert trace(runtime, sequence, TARGETS["mask"], 0) == expected
        assert trace(runtime, sequence, TARGETS["mask"], 0) == expected
    text = log_text(logs)
    spills = 1 + 2 * LENGTH
    for scrap in ("progress 10 %", "x" * 200_000, "unterminated", "from C without end"):
        assert text.count(scrap) == spills
    assert text.count("child") >= 2 * spills
    assert f"2 initializations, {2 * (LENGTH - 1)} frames" in text


def test_nothing_but_trax_reaches_the_toolkit(launch: Launch, sequence: Sequence) -> None:
    with launch("spill") as runtime:
        trace(runtime, sequence, TARGETS["rectangle"], 0)
        lines = str(runtime._output).splitlines()
    assert lines
    assert all(line.startswith("@@TRAX:") for line in lines if line)


FULL_DISK = """
import logging, os, sys, warnings
full = os.open("/dev/full", os.O_WRONLY)
kept = os.dup(1)
os.dup2(full, 1)
os.dup2(full, 2)
from vot_integration.serving.run_log import log_to_stderr
log_to_stderr()
for _ in range(1000):
    print("progress" * 1000)
    sys.stdout.buffer.write(b"binary")
    sys.stdout.flush()
    print("warning", file=sys.stderr)
    logging.warning("a line")
    warnings.warn("another")
os.write(kept, b"went on")
"""


def test_a_full_disk_under_the_log_ends_nothing() -> None:
    run = subprocess.run([sys.executable, "-c", FULL_DISK], cwd=ROOT, capture_output=True)
    assert (run.returncode, run.stdout) == (0, b"went on")
