"""The page's requests: what each of them asks of its studio."""

import asyncio
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from importlib import resources
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from alpharefine.errors import UsageError
from alpharefine.types import Box
from vot_integration.demo.exports import export
from vot_integration.demo.mailbox import Mailbox, encode_picture
from vot_integration.demo.menu import EXAMPLES, TrackerEntry, write_example
from vot_integration.demo.refused import RefusedError
from vot_integration.demo.studio import Studio
from vot_integration.demo.studios import Studios
from vot_integration.demo.uploads import plain_stem, receive
from vot_integration.errors import EvaluationError
from vot_integration.regions.shapes import Shape

_PAGE_FILES = {
    "/": ("index.html", "text/html"),
    "/demo.css": ("demo.css", "text/css"),
    "/demo.js": ("demo.js", "text/javascript"),
}
_LARGEST_BODY = 10_000
_GONE = 4410
"""WebSocket close code of ours: the page's studio has been closed."""

Result = TypeVar("Result")


async def in_thread(work: Callable[[], Result]) -> Result:
    """Wait for work in a thread that the end of the program does not wait for."""
    future: Future[Result] = Future()
    # It cannot be cancelled: who waits for it may be gone when it is done.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)


class DemoApp:
    """The requests of all pages.

    Args:
        studios: one for each page.
        trackers: to choose from, the default first.
        limit: bytes of an upload.
    """

    def __init__(self, studios: Studios, trackers: Sequence[TrackerEntry], limit: int) -> None:
        self._studios, self._trackers, self._limit = studios, trackers, limit

    def routes(self) -> Starlette:
        """The application."""
        page = "/api/pages/{page}"
        posts: Mapping[str, Callable[[Request], Any]] = {
            f"{page}/video": self._upload,
            f"{page}/example": self._example,
            f"{page}/recording": self._record,
            f"{page}/recording/end": self._end_recording,
            f"{page}/point": self._point,
            f"{page}/start": self._start,
            f"{page}/pause": self._pause,
            f"{page}/resume": self._resume,
            f"{page}/downloads/{{kind}}": self._export,
            "/api/pages": self._open,
        }
        return Starlette(
            routes=[
                *(Route(path, _page_file) for path in _PAGE_FILES),
                *(Route(path, endpoint, methods=["POST"]) for path, endpoint in posts.items()),
                Route(f"{page}/frames/{{frame:int}}", self._frame),
                Route(f"{page}/downloads/{{number}}/{{name}}", self._download),
                WebSocketRoute(f"{page}/events", self._events),
            ],
            exception_handlers=dict.fromkeys((UsageError, EvaluationError, OSError), _say),
        )

    async def _open(self, request: Request) -> Response:
        return JSONResponse(
            {
                "page": self._studios.open(),
                "trackers": [asdict(entry) for entry in self._trackers],
                "examples": EXAMPLES,
                "limit": self._limit,
            }
        )

    async def _upload(self, request: Request) -> Response:
        studio = self._studio(request)
        name = plain_stem(request.query_params.get("name", ""))
        announced = request.headers.get("content-length", "")
        studio.begin_upload()
        file = studio.files.new(".video")
        try:
            size = int(announced) if announced.isdecimal() else 0
            await receive(request.stream(), file, self._limit, size)
        except BaseException as error:
            studio.give_up_upload()
            if isinstance(error, ClientDisconnect):
                raise RefusedError("the upload was cut off: send it again", 400) from error
            raise
        await in_thread(lambda: studio.open_video(file, name))
        return _done()

    async def _example(self, request: Request) -> Response:
        studio = self._studio(request)
        name = _text(await _fields(request), "name")
        if name not in EXAMPLES:
            raise RefusedError(f"there is no built-in sequence {name!r}", 404)
        studio.begin_upload()
        file = studio.files.new(".avi")

        def make() -> None:
            try:
                write_example(name, file, studio.tell_progress)
            except BaseException:
                studio.give_up_upload()
                raise
            studio.open_video(file, name)

        await in_thread(make)
        return _done()

    async def _record(self, request: Request) -> Response:
        fps = _number(await _fields(request), "fps")
        self._studio(request).begin_recording(min(max(fps, 1.0), 120.0))
        return _done()

    async def _end_recording(self, request: Request) -> Response:
        self._studio(request).end_recording()
        return _done()

    async def _point(self, request: Request) -> Response:
        studio, fields = self._studio(request), await _fields(request)
        frame, point = int(_number(fields, "frame")), (_number(fields, "x"), _number(fields, "y"))
        return JSONResponse({"proposals": await in_thread(lambda: studio.propose(frame, point))})

    async def _start(self, request: Request) -> Response:
        studio, fields = self._studio(request), await _fields(request)
        names = fields.get("trackers")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise RefusedError("the request names no trackers", 400)
        target = _target(studio, fields)
        frame = int(_number(fields, "frame")) if target is not None else 0
        await in_thread(lambda: studio.start(names, frame, target))
        return _done()

    async def _pause(self, request: Request) -> Response:
        await in_thread(self._studio(request).pause)
        return _done()

    async def _resume(self, request: Request) -> Response:
        self._studio(request).resume()
        return _done()

    async def _frame(self, request: Request) -> Response:
        studio, index = self._studio(request), request.path_params["frame"]
        picture = await in_thread(lambda: encode_picture(studio.frame(index)))
        return Response(picture, media_type="image/jpeg")

    async def _export(self, request: Request) -> Response:
        studio, kind = self._studio(request), request.path_params["kind"]
        clip, run = studio.snapshot()
        folder = studio.files.new_download(kind)
        file = await in_thread(lambda: export(kind, clip, run, folder))
        return JSONResponse({"url": f"downloads/{folder.name}/{file.name}", "name": file.name})

    async def _download(self, request: Request) -> Response:
        number, name = request.path_params["number"], request.path_params["name"]
        folder = self._studio(request).files.folder / number
        # Only names that are there are compared: none leads out of the folder.
        files = {path.name: path for path in folder.glob("*")} if number.isdecimal() else {}
        if name not in files:
            raise RefusedError("this download is gone: make it again", 404)
        return FileResponse(files[name], filename=name)

    async def _events(self, socket: WebSocket) -> None:
        key = socket.path_params["page"]
        await socket.accept()
        try:
            studio = self._studios.connect(key)
        except RefusedError as error:
            await socket.close(_GONE, str(error))
            return
        mailbox = Mailbox(asyncio.get_running_loop())
        sender = asyncio.create_task(_send(socket, mailbox))
        try:
            await in_thread(lambda: studio.listen(mailbox))
            await _receive_frames(socket, studio, mailbox)
        finally:
            sender.cancel()
            self._studios.disconnect(key)
            await in_thread(lambda: studio.leave(mailbox))

    def _studio(self, request: Request) -> Studio:
        return self._studios.get(request.path_params["page"])


async def _page_file(request: Request) -> Response:
    name, kind = _PAGE_FILES[request.url.path]
    folder = resources.files("vot_integration") / "resources" / "demo"
    return Response((folder / name).read_bytes(), media_type=kind)


async def _say(request: Request, error: Exception) -> Response:
    if isinstance(error, OSError):
        # A full disk for instance.
        reason = error.strerror or type(error).__name__
        return JSONResponse({"error": f"a file cannot be written or read ({reason})"}, 507)
    status = error.status if isinstance(error, RefusedError) else 400
    return JSONResponse({"error": str(error)}, status)


def _done() -> Response:
    return JSONResponse({})


async def _send(socket: WebSocket, mailbox: Mailbox) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.send_bytes(await mailbox.take())


async def _receive_frames(socket: WebSocket, studio: Studio, mailbox: Mailbox) -> None:
    """Take the frames of a webcam until the page goes."""
    with suppress(WebSocketDisconnect):
        while True:
            data = await socket.receive_bytes()
            try:
                await in_thread(partial(studio.add_frame, data))
            except UsageError as error:
                mailbox.on_error(str(error))


async def _fields(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings.

    Raises:
        RefusedError: it brings none.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            raise RefusedError("the request is too large", 413)
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise RefusedError("the request is no JSON", 400) from error
    if not isinstance(fields, dict):
        raise RefusedError("the request is no JSON object", 400)
    return fields


def _target(studio: Studio, fields: Mapping[str, Any]) -> Shape | None:
    if fields.get("proposal") is not None:
        frame, number = int(_number(fields, "frame")), int(_number(fields, "proposal"))
        return studio.proposed(frame, number)
    box = fields.get("box")
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4:
        raise RefusedError("the box is not four numbers x, y, width, height", 400)
    return Box(*(_finite(value, "box") for value in box))


def _number(fields: Mapping[str, Any], name: str) -> float:
    return _finite(fields.get(name), name)


def _finite(value: object, name: str) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise RefusedError(f"{name} is not a number", 400)
    return float(value)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise RefusedError(f"{name} is not a text", 400)
    return value
