"""From the threads that track to the page: words in order, and of pictures the newest alone."""

import asyncio
import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import cv2
import numpy as np

from alpharefine.types import Image
from vot_integration.demo.found import Found

_LONGEST_SIDE = 1280
"""Of pictures that are sent, px: what is drawn over them has the coordinates of the frame."""

_QUALITY = 85


def encode_picture(image: Image) -> bytes:
    """A frame as a JPEG file, not larger than a page shows it."""
    scale = _LONGEST_SIDE / max(image.shape[:2])
    if scale < 1:
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


class Mailbox:
    """What a page has not been told yet; a `Listener` of a studio.

    A page that is slow gets fewer pictures, but every answer.

    Args:
        loop: that the page's connection runs in.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._words: list[dict[str, Any]] = []
        self._picture: tuple[int, Image] | None = None
        self._filled = asyncio.Event()

    def on_state(self, state: dict[str, Any]) -> None:
        """See `Listener`."""
        self._put({"state": state}, None)

    def on_found(self, frame: int, found: Sequence[Found], image: Image | None) -> None:
        """See `Listener`."""
        word = {"frame": frame, "found": [one.view() for one in found]}
        self._put(word, None if image is None else (frame, image))

    def on_error(self, message: str) -> None:
        """Something that the page has sent cannot be used."""
        self._put({"error": message}, None)

    async def take(self) -> bytes:
        """Wait for something to tell, and take all of it.

        Returns:
            The length of what follows (4 bytes, big-endian); JSON with `words` and the number of
            the frame that is the `picture`, or null; the picture as JPEG.
        """
        await self._filled.wait()
        self._filled.clear()
        words, picture = self._words, self._picture
        self._words, self._picture = [], None
        data = b"" if picture is None else await asyncio.to_thread(encode_picture, picture[1])
        head = {"words": words, "picture": None if picture is None else picture[0]}
        text = json.dumps(head, allow_nan=False, separators=(",", ":")).encode()
        return struct.pack(">I", len(text)) + text + data

    def _put(self, word: dict[str, Any], picture: tuple[int, Image] | None) -> None:
        def put() -> None:
            self._words.append(word)
            self._picture = picture or self._picture
            self._filled.set()

        # Raises where the loop has ended: nobody listens any more then.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(put)
