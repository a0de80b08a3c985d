"""Evaluations that are killed, doubled, out of disk, or hopeless."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import pytest

from alpharefine.errors import UsageError
from tests.conftest import Report
from tests.reliability import processes
from tests.reliability.processes import (
    ROOT,
    arvot,
    family,
    make_workspace,
    run_arvot,
    wait_until_gone,
)
from tests.toolkit.make import make_sequences
from vot_integration.evaluation.evaluate import analyze, evaluate
from vot_integration.files import why_not_writable, write_text
from vot_integration.sequences.builtin import write_builtin_sequences
from vot_integration.toolkit.scores import ExperimentScores, read_scores
from vot_integration.workspaces.lock import exclusive
from vot_integration.workspaces.workspace import Workspace

KILLS = 20

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


def result_files(workspace: Workspace, tracker: str) -> dict[str, bytes]:
    """Region files of whole runs, by name."""
    results = workspace.results(tracker)
    runs = workspace.runs
    return {
        run.name: (run.folder(results) / f"{run.name}.bin").read_bytes()
        for run in runs
        if run.is_whole(results)
    }


def scores(workspace: Workspace, tracker: str) -> dict[str, ExperimentScores]:
    return read_scores(analyze(workspace, tracker))


def kill_somewhere(command: list[object], victim: int, moment: float) -> tuple[bool, int, str]:
    """Run a command and kill one of its processes a while after that process has begun.

    Returns:
        Whether there was anything to kill; exit code and output of the command.
    """
    with arvot(*command) as process:
        while len(family(process.pid)) <= victim and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moment)
        line = family(process.pid)
        found = process.poll() is None and len(line) > victim
        if found:
            try:
                os.kill(line[victim], signal.SIGKILL)
            except ProcessLookupError:
                found = False
        output, _ = process.communicate(timeout=processes.LIMIT_S)
        wait_until_gone(line[1:])
        return found, process.returncode, output


def check_kills(
    reference: Workspace,
    disturbed: Workspace,
    tracker: str,
    moments: Iterable[tuple[int, float]],
    report: Report | None = None,
) -> None:
    """Kill at all moments, finish, and compare with a run that nothing disturbed.

    Whole results are deleted before the next moment, so that there is something to kill; of
    endless moments, as many are taken as kill `KILLS` times.
    """
    code, output = run_arvot("evaluate", tracker, "--workspace", reference.folder)
    assert code == 0, output
    expected = result_files(reference, tracker)
    command: list[object] = ["evaluate", tracker, "--workspace", disturbed.folder]
    killed = lost = 0
    for victim, moment in moments:
        before = result_files(disturbed, tracker)
        found, code, output = kill_somewhere(command, victim, moment)
        if found and victim > 0:
            assert code in (0, 1), output
            # The last file may have been written before the process died.
            kept = "have results, and are kept" in output or "no run has results" in output
            assert code == 0 or kept, output
        after = result_files(disturbed, tracker)
        lost += sum(after.get(name) != content for name, content in before.items())
        killed += found
        if killed == KILLS:
            break
        if after == expected:
            shutil.rmtree(disturbed.results(tracker))
    code, output = run_arvot(*command)
    assert code == 0, output
    assert lost == 0
    assert result_files(disturbed, tracker) == expected
    assert scores(disturbed, tracker) == scores(reference, tracker)
    if report is not None:
        report("kills that hit", killed)
        report("finished results that were lost", lost)


def test_killed_processes_lose_nothing(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    reference = make_workspace(tmp_path / "reference", sequences)
    disturbed = make_workspace(tmp_path / "disturbed", sequences)
    seeded = random.Random(5)
    # The first sequence takes about a second, the tracker's start included.
    moments = [(victim, seeded.uniform(0.0, 1.0)) for victim in (0, 1, 2)]
    moments[0] = (0, 6.0)
    check_kills(reference, disturbed, "steady", moments)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [0, 1])
def test_twenty_kills_of_our_own_tracker_lose_nothing(
    tmp_path: Path, seed: int, figure: Report
) -> None:
    folder = tmp_path / "sequences"
    write_builtin_sequences(folder, frames=60)
    reference = make_workspace(tmp_path / "reference", folder)
    disturbed = make_workspace(tmp_path / "disturbed", folder)
    seeded = random.Random(seed)
    moments = ((seeded.randrange(3), seeded.uniform(0.0, 15.0)) for _ in count())
    check_kills(reference, disturbed, "ARDiMP_lite", moments, figure)


def test_a_second_evaluation_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "sequences"))
    command = ["evaluate", "held", "--workspace", workspace.folder]
    gate = workspace.folder / "gate"
    gate.touch()
    with arvot(*command) as first:
        while len(family(first.pid)) < 3:
            assert first.poll() is None, first.communicate()
            time.sleep(0.02)
        code, output = run_arvot(*command)
        assert code == 2
        assert f"another evaluation is running in {workspace.folder}" in output
        assert f"(process {first.pid} on " in output
        assert len(output.splitlines()) == 1, "the refusal alone"
        gate.unlink()
        output, _ = first.communicate(timeout=processes.LIMIT_S)
        assert first.returncode == 0, output
    assert len(result_files(workspace, "held")) == 4


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from vot_integration.workspaces.lock import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); time.sleep(99)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match=f"process {holder.pid} on"), exclusive(tmp_path):
            pass
        holder.kill()
    with exclusive(tmp_path), pytest.raises(UsageError), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        pass


def test_settings_are_not_changed_under_a_running_evaluation(tmp_path: Path) -> None:
    sequences = make_sequences(tmp_path / "sequences")
    workspace = make_workspace(tmp_path / "w", sequences)
    before = (workspace.folder / "trackers.ini").read_bytes()
    with exclusive(workspace.folder), pytest.raises(UsageError, match="another evaluation"):
        make_workspace(tmp_path / "w", sequences)
    assert (workspace.folder / "trackers.ini").read_bytes() == before


def test_a_tracker_that_fails_at_once_in_every_run_has_scores(tmp_path: Path) -> None:
    """The toolkit alone divides by zero then, and writes no analysis."""
    workspace = make_workspace(tmp_path / "w", make_sequences(tmp_path / "sequences"))
    evaluate(workspace, "lost", lambda _: None)
    assert scores(workspace, "lost")["baseline"] == ExperimentScores(
        eao=0.0, accuracy=0.0, robustness=0.0
    )


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    assert why_not_writable(tmp_path / "new") is None
    assert list((tmp_path / "new").iterdir()) == []
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert why_not_writable(blocked / "folder") == "Not a directory"
    assert why_not_writable(Path("/proc/1")) is not None
    with pytest.raises(UsageError, match="cannot write in"), exclusive(blocked / "folder"):
        pass


IN_SMALL_DISK = """
import shutil, subprocess, sys
from pathlib import Path
from tests.reliability.processes import make_workspace, run_arvot
disk, sequences, mode = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
subprocess.run(mount, check=True)
workspace = make_workspace(disk / "w", sequences)
if mode == "read-only":
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
tracker = "noisy" if mode == "full" else "steady"
command = ["evaluate", tracker, "--workspace", workspace.folder]
print(*run_arvot(*command), sep="|")
if mode == "read-only":
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
shutil.rmtree(workspace.folder / "logs", ignore_errors=True)
(workspace.folder / "logs").mkdir()
if mode == "full":
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
print("=====")
print(*run_arvot(*command), sep="|")
print("=====")
from tests.reliability.test_evaluations import result_files
print(len(result_files(workspace, tracker)))
"""


def on_a_small_disk(tmp_path: Path, mode: str) -> list[str]:
    """What the script above prints in a mount of its own, in its three parts."""
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*own, "true"]).returncode:
        pytest.skip("no mount namespaces here")
    (tmp_path / "disk").mkdir()
    sequences = make_sequences(tmp_path / "sequences")
    run = subprocess.run(
        [*own, sys.executable, "-c", IN_SMALL_DISK, tmp_path / "disk", sequences, mode],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.split("=====\n")


@pytest.mark.soak
@pytest.mark.parametrize(
    ("mode", "reason"),
    [("full", "No space left on device"), ("read-only", "Read-only file system")],
)
def test_a_disk_that_cannot_be_written_is_named_and_nothing_is_lost(
    tmp_path: Path, mode: str, reason: str
) -> None:
    first, second, results = on_a_small_disk(tmp_path, mode)
    code, output = first.split("|", 1)
    assert code == ("1" if mode == "full" else "2")
    failures = [line for line in output.splitlines() if line.startswith("arvot: ")]
    assert len(failures) == 1, output
    assert failures[0].startswith(f"arvot: cannot write in {tmp_path}"), output
    assert reason in failures[0]
    assert second.startswith("0|"), second
    assert int(results) == 4


def test_a_file_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "arvot.json"
    write_text(file, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_text(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]
