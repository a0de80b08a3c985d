"""`arvot demo` on the command line: what is refused, and how it ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.demo.serving import SECONDS, Page, use_stubs, write_video
from vot_integration.cli import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tracker", "Nobody"], "unknown tracker 'Nobody'"),
        (["--weights", "nothing"], "unknown weights"),
        (["--config", "nothing.toml"], "nothing.toml"),
        (["--token", "short"], "--token: give at least 8"),
        (["--token", "with spaces in it"], "--token: give at least 8"),
        (["--port", "99999"], "--port 99999: give a number"),
        (["--port", "some"], "invalid int value"),
        (["--host", "no.such.host.invalid"], "'no.such.host.invalid' is no name or address"),
        (["--max-upload", "0"], "--max-upload 0: give megabytes above 0"),
    ],
)
def test_bad_options_are_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert f"port {port} is in use" in error and error.count("\n") == 1


def test_it_leaves_nothing_when_it_is_terminated(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    server = subprocess.Popen(
        [sys.executable, "-m", "vot_integration", "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp"), "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    try:
        assert server.stdout is not None and server.stderr is not None
        line = re.fullmatch(r"open (http://127\.0\.0\.1:\d+/)\n", server.stdout.readline())
        assert line is not None, server.stderr.read()
        assert server.stdout.readline() == "Ctrl-C ends it, and deletes what was uploaded\n"
        with Page(line[1]) as page:
            assert page.upload(write_video(tmp_path / "x.avi")).status_code == 200
            page.until("ready")
            assert list((tmp_path / "tmp").rglob("*.video"))
            server.send_signal(signal.SIGTERM)
            assert server.communicate(timeout=SECONDS) == ("", "")
    finally:
        server.kill()
    assert server.returncode == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_it_leaves_nothing_after_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_stubs(monkeypatch)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    video = write_video(tmp_path / "x.avi")
    statuses: list[int] = []

    def visit() -> None:
        while not (printed := capsys.readouterr().out):
            time.sleep(0.1)
        with Page(printed.split()[1]) as page:
            statuses.append(page.upload(video).status_code)
            page.until("ready")
            signal.raise_signal(signal.SIGINT)

    visitor = threading.Thread(target=visit)
    visitor.start()
    assert main(["demo", "--port", "0"]) == 0
    visitor.join(SECONDS)
    assert statuses == [200] and list((tmp_path / "tmp").iterdir()) == []
