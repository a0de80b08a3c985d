import hashlib
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from alpharefine.errors import UsageError
from alpharefine.weights import registry
from alpharefine.weights.files import write_weights
from alpharefine.weights.store import resolve_weights
from tests.weights.official_files import tiny_state

pytestmark = pytest.mark.usefixtures("tiny_kinds")


class Server(ThreadingHTTPServer):
    """Serves one file, well or badly."""

    def __init__(self, content):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.requests = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        content = self.server.content
        if self.path == "/absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.path == "/cut":
            content = content[: len(content) // 2]
        if self.path == "/other":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
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


def test_fetched_once_and_checked(publish, server, cache):
    publish("/good")
    for _ in range(2):
        choice = resolve_weights("tiny", {"tiny": "random"})["tiny"]
        assert choice.path == cache / "tiny.safetensors"
        assert choice.path.read_bytes() == server.content
    assert server.requests == ["/good"]
    assert list(cache.iterdir()) == [choice.path]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/other", "does not hold the expected file"),
        ("/cut", "cannot be downloaded|does not hold the expected file"),
        ("/absent", "cannot be downloaded from .*404"),
    ],
)
def test_nothing_bad_gets_the_final_name(publish, cache, path, message):
    publish(path)
    with pytest.raises(UsageError, match=message) as caught:
        resolve_weights("tiny", {"tiny": "random"})
    assert str(caught.value).isprintable()
    assert list(cache.iterdir()) == []


def test_offline(publish, server, cache):
    publish("/good", port=1)
    with pytest.raises(UsageError, match=r"cannot be downloaded .*check the network") as caught:
        resolve_weights("tiny", {"tiny": "random"})
    assert str(caught.value).isprintable() and "Traceback" not in str(caught.value)
    assert list(cache.iterdir()) == []
    (cache / "tiny.safetensors").write_bytes(server.content)
    assert resolve_weights("tiny", {"tiny": "random"})["tiny"].path.is_file()
