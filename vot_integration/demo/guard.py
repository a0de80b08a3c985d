"""Who may use the page: this machine, or who knows the token; and no other page in a browser."""

import secrets
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_SAFE_METHODS = ("GET", "HEAD")
_REFUSED = 1008
"""WebSocket close code: policy violation."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware that lets through what comes from the page itself.

    Args:
        app: what is guarded.
        host: that is listened on; a loopback one is only answered under such a name, so that a
            page elsewhere cannot reach it by a name of its own (DNS rebinding).
        token: that has to be known, or None.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self._app, self._host, self._token = app, host, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it in one line."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)
        if answer is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(_REFUSED)(scope, receive, send)
        else:
            await answer(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._host in LOOPBACK and urlsplit(f"//{host}").hostname not in LOOPBACK:
            return _line("this page is for this machine alone: open it as 127.0.0.1 or localhost")
        origin = headers.get("origin")
        is_safe = scope["type"] == "http" and scope["method"] in _SAFE_METHODS
        if not is_safe and origin is not None and urlsplit(origin).netloc != host:
            return _line("a page of another origin may not do this")
        return None if self._token is None else self._check_token(scope, self._token)

    def _check_token(self, scope: Scope, token: str) -> Response | None:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["type"] == "http" and _is_same(given, token):
            # Out of the address, which is shown and kept in the history.
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(_cookie(scope), token, httponly=True, samesite="strict")
            return answer
        cookies = Headers(scope=scope).get("cookie", "")
        pairs = (part.strip().partition("=") for part in cookies.split(";"))
        if any(name == _cookie(scope) and _is_same(value, token) for name, _, value in pairs):
            return None
        return _line("the token is missing or wrong: open the address that arvot demo has printed")


def _cookie(scope: Scope) -> str:
    """Browsers keep one cookie of a name for all ports of a host: each has a name of its own."""
    return f"arvot_demo_{scope['server'][1]}"


def _is_same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _line(text: str) -> Response:
    return PlainTextResponse(f"{text}\n", 403)


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return answer
