"""The page's server: where it listens, until it is ended, and that nothing is left then."""

import errno
import secrets
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn

# Without it uvicorn serves all but what the page listens to, and says nothing.
import websockets  # noqa: F401

from alpharefine.errors import UsageError
from vot_integration.demo.app import DemoApp
from vot_integration.demo.guard import LOOPBACK, Guard
from vot_integration.demo.menu import list_trackers, make_tools
from vot_integration.demo.studios import Studios
from vot_integration.demo.uploads import MEGABYTE
from vot_integration.track.choice import Choice

_TOKEN_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_SHORTEST_TOKEN = 8
_LOOK_SECONDS = 10.0
_SHUTDOWN_SECONDS = 2


@dataclass(frozen=True)
class DemoOptions:
    """Options of `arvot demo`.

    Attributes:
        choice: the tracker that is chosen at first.
        host: to listen on.
        port: to listen on; 0 is any that is free.
        token: that a browser must know; None makes one where another machine can reach the page.
        max_upload: most megabytes of a video.
    """

    choice: Choice
    host: str = "127.0.0.1"
    port: int = 7860
    token: str | None = None
    max_upload: float = 1000.0


class Demo:
    """The page, ready to be served; a context manager that leaves nothing behind.

    Args:
        options: what the user wants.

    Raises:
        UsageError: an option is wrong, or the port is taken.
    """

    def __init__(self, options: DemoOptions) -> None:
        self._host = options.host
        self._token = _token(options)
        if not options.max_upload > 0:
            raise UsageError(f"--max-upload {options.max_upload:g}: give megabytes above 0")
        limit = int(options.max_upload * MEGABYTE)
        trackers = list_trackers(options.choice)
        self._socket = _listen(options.host, options.port)
        self._studios = Studios(make_tools(options.choice), limit)
        app = DemoApp(self._studios, trackers, limit).routes()
        config = uvicorn.Config(
            Guard(app, options.host, self._token),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        self._server = uvicorn.Server(config)
        self._ended = threading.Event()

    @property
    def address(self) -> str:
        """What to open in a browser, with the token where one is needed."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        port = self._socket.getsockname()[1]
        return f"http://{host}:{port}/" + (f"?token={self._token}" if self._token else "")

    def run(self) -> None:
        """Serve until the process is told to end, or `stop`."""
        threading.Thread(target=self._close_left, daemon=True).start()
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` end."""
        self._server.should_exit = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._socket.close()
        self._studios.close()

    def _close_left(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self._studios.close_left()


def _token(options: DemoOptions) -> str | None:
    token = options.token
    if token is None:
        return None if options.host in LOOPBACK else secrets.token_urlsafe(16)
    if len(token) < _SHORTEST_TOKEN or not _TOKEN_CHARACTERS.issuperset(token):
        raise UsageError(
            f"--token: give at least {_SHORTEST_TOKEN} letters, digits, - or _, or leave it out: "
            "one is made where it is needed"
        )
    return token


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 2**16:
        raise UsageError(f"--port {port}: give a number from 0 (any that is free) to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(f"--host {host!r} is no name or address of this machine") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Where another program listens already, some systems say so only here.
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            advice = f"port {port} is in use: end what uses it, or give another one with --port"
        else:
            advice = f"cannot listen on {host} port {port} ({error.strerror})"
        raise UsageError(advice) from error
    return listener
