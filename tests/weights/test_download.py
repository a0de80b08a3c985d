import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from alpharefine.errors import UsageError
from alpharefine.nets import registry
from alpharefine.weights.files import write_weights
from alpharefine.weights.store import fetch_weights, resolve_weights
from tests.weights.official_files import tiny_state

pytestmark = pytest.mark.usefixtures("tiny_kinds")


PIECE = 300


class Server(ThreadingHTTPServer):
    """Serves one file, well or badly."""

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.requests = []
        self.starts = []
        self.faults = 0

    def handle_error(self, *_):
        pass


class Handler(BaseHTTPRequestHandler):
    """Paths are faults: what goes wrong, and after how many of them it goes well."""

    def do_GET(self):
        server, content = self.server, self.server.content
        server.requests.append(self.path)
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        server.starts.append(start)
        match self.path:
            case "/absent":
                return self.send_error(404)
            case "/busy" if len(server.requests) < 3:
                return self.send_error(503)
            case "/other":
                content = content[:-1] + bytes([content[-1] ^ 1])
            case "/no-ranges":
                start = 0
        if start and start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            shift = 3 if self.path == "/wrong-range" else 0
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start + shift}-{last}/{len(content)}")
            start += shift
        if self.path != "/no-length":
            self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.path in ("/pieces", "/no-ranges") and len(server.requests) < 4:
            content = content[: start + PIECE]
        if self.path == "/cut":
            content = content[: start + 1]
        if self.path == "/nothing":
            content = b""
        self.wfile.write(content[start:])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr("alpharefine.weights.download._PAUSES", (0.0,) * 4)
    monkeypatch.setattr("alpharefine.weights.download._CHUNK", 100)
    path = tmp_path / "served.safetensors"
    write_weights(path, {"tiny": tiny_state()}, {})
    with Server(path.read_bytes()) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(server, monkeypatch):
    """Gives the registered weights "tiny" an address on the server."""

    def publish_at(path, port=None):
        spec = replace(
            registry.WEIGHTS["tiny"],
            url=f"http://127.0.0.1:{port or server.server_port}{path}",
            sha256=hashlib.sha256(server.content).hexdigest(),
        )
        monkeypatch.setitem(registry.WEIGHTS, "tiny", spec)

    return publish_at


def fetch():
    return resolve_weights("tiny", {"tiny": "random"})["tiny"]


def visible(folder):
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def parts(folder):
    return [path for path in folder.iterdir() if path.suffix == ".part"]


def test_fetched_once_and_checked(publish, server, cache):
    publish("/good")
    for _ in range(2):
        choice = fetch()
        assert choice.path == cache / "tiny.safetensors"
        assert choice.path.read_bytes() == server.content
    assert server.requests == ["/good"]
    assert visible(cache) == [choice.path] and not parts(cache)


@pytest.mark.parametrize(
    ("path", "starts"),
    [
        ("/pieces", [0, PIECE, 2 * PIECE, 3 * PIECE]),
        ("/no-length", [0]),
        ("/busy", [0, 0, 0]),
        ("/no-ranges", [0, PIECE, PIECE, PIECE]),
    ],
)
def test_goes_on_where_the_connection_broke(publish, server, path, starts):
    publish(path)
    assert fetch().path.read_bytes() == server.content
    assert server.starts == starts


def test_goes_on_in_a_later_run(publish, server, cache):
    publish("/nothing")
    (cache / f".tiny.{hashlib.sha256(server.content).hexdigest()[:16]}.part").write_bytes(
        server.content[:PIECE]
    )
    with pytest.raises(UsageError, match="cannot be downloaded"):
        fetch()
    publish("/good")
    assert fetch().path.read_bytes() == server.content
    assert set(server.starts) == {PIECE} and not parts(cache)


@pytest.mark.parametrize("left", [b"?" * PIECE, b"?" * 100_000], ids=["wrong", "too long"])
def test_what_an_earlier_run_left_may_be_wrong(left, publish, server, cache):
    publish("/good")
    digest = hashlib.sha256(server.content).hexdigest()
    (cache / f".tiny.{digest[:16]}.part").write_bytes(left)
    assert fetch().path.read_bytes() == server.content
    assert server.starts == [len(left), 0]


def test_a_part_that_does_not_fit_is_not_appended(publish, server, cache):
    publish("/wrong-range")
    digest = hashlib.sha256(server.content).hexdigest()
    (cache / f".tiny.{digest[:16]}.part").write_bytes(server.content[:PIECE])
    assert fetch().path.read_bytes() == server.content


@pytest.mark.parametrize(
    ("path", "message", "requests"),
    [
        ("/other", "does not hold the expected file", 1),
        ("/nothing", "cannot be downloaded", 5),
        ("/absent", "cannot be downloaded from .*404", 1),
    ],
)
def test_nothing_bad_gets_the_final_name(publish, server, cache, path, message, requests):
    publish(path)
    with pytest.raises(UsageError, match=message) as caught:
        fetch()
    assert str(caught.value).isprintable()
    assert visible(cache) == [] and len(server.requests) == requests


def test_offline(publish, server, cache):
    publish("/good", port=1)
    with pytest.raises(UsageError, match=r"cannot be downloaded .*check the network") as caught:
        fetch()
    assert str(caught.value).isprintable() and "Traceback" not in str(caught.value)
    assert visible(cache) == []
    (cache / "tiny.safetensors").write_bytes(server.content)
    assert fetch().path.is_file()


def test_progress_is_told(publish, server):
    publish("/pieces")
    told = []
    fetch_weights(registry.WEIGHTS["tiny"], lambda done, total: told.append((done, total)))
    size = len(server.content)
    assert told[-1] == (size, size) and told == sorted(told)
