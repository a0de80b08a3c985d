"""How a server ends: told to stop, left alone, or asked for what it does not serve.

The server is started as the toolkit does it, and spoken to in TraX itself: the toolkit's runtime
neither dies on demand nor sends what it knows to be refused. The waits are limits after which a
hanging process fails the test.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from vot.dataset import Sequence

from tests.serving.conftest import ROOT, log_text

LIMIT_S = 20

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start_process(tmp_path: Path, logs: Path) -> Iterator[Start]:
    """Start the debug server with the given faults; it is killed after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(faults: str = "") -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "ARVOT_TRACKER": "Debug",
            "ARVOT_LOG_DIR": str(logs),
            "DEBUG_FAULTS": faults,
            "PYTHONPATH": str(ROOT),
            "TRAX": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.serving.debug_tracker"],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        started.append(process)
        # A server that never answers must not hang the tests, which read without a limit.
        timer = threading.Timer(3 * LIMIT_S, process.kill)
        timer.daemon = True
        timer.start()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for_log(logs: Path, text: str) -> None:
    end = time.monotonic() + LIMIT_S
    while text not in log_text(logs):
        assert time.monotonic() < end, f"'{text}' is not in the log"
        time.sleep(0.02)


def test_sigterm_ends_an_idle_server(start_process: Start, sequence: Sequence, logs: Path) -> None:
    process = start_process()
    initialize(process, sequence)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in log_text(logs)
    assert "run ended: 1 initializations" in log_text(logs)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_server_that_is_stuck_in_c(
    start_process: Start, sequence: Sequence, logs: Path, number: signal.Signals
) -> None:
    process = start_process("busy")
    initialize(process, sequence)
    send(process, frame_line(sequence))
    wait_for_log(logs, "busy at frame 1")
    process.send_signal(number)
    assert process.wait(LIMIT_S) == 128 + number
    # Where it was stuck is shown.
    assert "in busy" in log_text(logs)
    assert "run ended: 1 initializations, 1 frames" in log_text(logs)


def test_a_signal_ends_a_server_that_is_loading(start_process: Start, logs: Path) -> None:
    process = start_process("busy_load")
    wait_for_log(logs, "busy in loading")
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT_S) == 128 + signal.SIGTERM
    assert "run ended: nothing was asked" in log_text(logs)


def test_a_closed_pipe_ends_an_idle_server(
    start_process: Start, sequence: Sequence, logs: Path
) -> None:
    process = start_process()
    initialize(process, sequence)
    close(process)
    assert process.wait(LIMIT_S) == 1
    assert "run ended: 1 initializations" in log_text(logs)


def test_a_closed_pipe_ends_a_server_that_is_loading(start_process: Start, logs: Path) -> None:
    process = start_process("busy_load")
    wait_for_log(logs, "busy in loading")
    close(process)
    assert process.wait(LIMIT_S) == 1
    assert "the client closed the connection" in log_text(logs)


def test_a_closed_pipe_ends_a_server_that_is_stuck(
    start_process: Start, sequence: Sequence, logs: Path
) -> None:
    process = start_process("busy")
    initialize(process, sequence)
    send(process, frame_line(sequence))
    wait_for_log(logs, "busy at frame 1")
    close(process)
    assert process.wait(LIMIT_S) == 1
    assert "run ended: 1 initializations, 1 frames" in log_text(logs)


def test_more_than_one_object_gets_one_clear_line(start_process: Start, sequence: Sequence) -> None:
    """From a client that does not refuse by itself, as libtrax's does."""
    process = start_process()
    read_until(process, b"@@TRAX:hello", b"\n")
    send(process, object_line("40,30,40,30"), object_line("9,9,20,20"), frame_line(sequence))
    answer = read_until(process, b"@@TRAX:quit", b"\n")
    assert b"follows one object, 2 were sent" in answer
    assert process.wait(LIMIT_S) == 2


def test_a_frame_before_a_target_ends_in_order(
    start_process: Start, sequence: Sequence, logs: Path
) -> None:
    process = start_process()
    read_until(process, b"@@TRAX:hello", b"\n")
    send(process, frame_line(sequence))
    assert process.wait(LIMIT_S) in (1, 2)
    assert "run ended" in log_text(logs)


def test_quit_ends_with_success(start_process: Start, sequence: Sequence, logs: Path) -> None:
    process = start_process()
    initialize(process, sequence)
    send(process, b"@@TRAX:quit \n")
    assert process.wait(LIMIT_S) == 0
    assert "run ended: 1 initializations" in log_text(logs)


def close(process: subprocess.Popen[bytes]) -> None:
    """End the client's side of both pipes, as its death would."""
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


def object_line(region: str) -> bytes:
    return f'@@TRAX:initialize "{region}" \n'.encode()


def frame_line(sequence: Sequence) -> bytes:
    return f'@@TRAX:frame "file://{sequence.frame(0).filename("color")}" \n'.encode()


def send(process: subprocess.Popen[bytes], *lines: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(b"".join(lines))


def initialize(process: subprocess.Popen[bytes], sequence: Sequence) -> None:
    """Take the greeting, start on a rectangle (objects, then the frame), await the state."""
    read_until(process, b"@@TRAX:hello", b"\n")
    send(process, object_line("40,30,40,30"), frame_line(sequence))
    read_until(process, b"@@TRAX:state", b"\n")


def read_until(process: subprocess.Popen[bytes], *marks: bytes) -> bytes:
    """Read the server's answer until all marks have come in this order."""
    assert process.stdout is not None
    answer, position = b"", 0
    for mark in marks:
        while (found := answer.find(mark, position)) < 0:
            scrap = process.stdout.read(4096)
            assert scrap, f"the server ended after {answer!r}"
            answer += scrap
        position = found + len(mark)
    return answer
