"""What trackers write, on its way to the TraX library: bytes beyond ASCII as escapes.

libtrax (4.0) breaks a session off at the first of them, in a tracker's log lines, too. A warning
that names a folder with an accent would end the tracker, and the cause of a failure below such a
folder would be cut off where its name begins.
"""

import codecs
import os
import threading
import weakref
from contextlib import suppress
from typing import Any

_CHUNK = 1 << 16


def escape_output() -> None:
    """Let the toolkit, in this process from now on, take what trackers write in any characters."""
    from vot.tracker import trax

    trax.Client = _client_class(trax.Client)


def escaped_copy(source: int) -> int:
    r"""A pipe that gets all that comes from a descriptor, in ASCII.

    Characters beyond ASCII become escapes as in Python's text, and bytes that are no UTF-8 such as
    `\xff`; all else passes as it is, at once.

    Args:
        source: descriptor to read from to its end; it may be closed here meanwhile.

    Returns:
        The descriptor to read from instead. The caller closes it.
    """
    # Of its own: the toolkit closes the one that it has while the tracker may still write.
    source = os.dup(source)
    target, sink = os.pipe()
    threading.Thread(target=_relay, args=(source, sink), name="output", daemon=True).start()
    return target


def _relay(source: int, sink: int) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    # The reader may be gone before the writer.
    with suppress(OSError), os.fdopen(source, "rb", 0) as taken, os.fdopen(sink, "wb", 0) as given:
        while chunk := taken.read(_CHUNK):
            _write(given.fileno(), decoder.decode(chunk))
        _write(given.fileno(), decoder.decode(b"", final=True))


def _write(descriptor: int, text: str) -> None:
    data = text.encode("ascii", "backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]


def _client_class(client: Any) -> Any:
    class AnyTextClient(client):
        """A TraX client that reads a tracker's pipe through `escaped_copy`."""

        def __init__(self, stream: Any = None, timeout: int = 30, log: Any = False) -> None:
            if isinstance(stream, tuple):
                requests, answers = stream
                copy = escaped_copy(answers)
                # libtrax closes no descriptor of a client.
                weakref.finalize(self, os.close, copy)
                stream = requests, copy
            super().__init__(stream, timeout, log)

    return AnyTextClient
