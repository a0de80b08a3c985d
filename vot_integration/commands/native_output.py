"""What compiled libraries write to standard error by themselves, held back while a command runs.

OpenCV, FFmpeg, libjpeg, libpng and torch tell of broken files in words of their own, among the
lines that the command says of the same files.
"""

import faulthandler
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_KNOWN = re.compile(
    r"Premature end of JPEG|Corrupt JPEG data|Invalid SOS|Unsupported marker|Unknown Adobe|"
    r"libpng (error|warning)|\[ *(WARN|ERROR|INFO|DEBUG):\d|\[[\w,:/ ]+ @ 0x|TIFF\w*: |"
    r"\[[WE]\d* .*\]|OpenCV[:(]|\s*$"
)
"""How lines begin that say nothing which the commands do not say themselves."""

_STDERR = 2
_SHOWN_BYTES = 1 << 16


@contextmanager
def held_back() -> Iterator[None]:
    """Keep such lines from the terminal; what else was written is shown at the end.

    Python's own standard error still goes there, but for warnings of libraries. Does nothing where
    standard error is not the process's own, as in a test.
    """
    if not _is_own(sys.stderr):
        yield
        return
    ours = sys.stderr
    ours.flush()
    with (
        tempfile.TemporaryFile() as held,
        os.fdopen(os.dup(_STDERR), "w", 1, ours.encoding, ours.errors) as shown,
        warnings.catch_warnings(),
    ):
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        sys.stderr = shown
        # A crash of compiled code is not to end without a word.
        faulthandler.enable(shown)
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            faulthandler.disable()
            shown.flush()
            os.dup2(shown.fileno(), _STDERR)
            sys.stderr = ours
            ours.write(_unknown(held))
            ours.flush()


def _is_own(stream: IO[str]) -> bool:
    try:
        return stream.fileno() == _STDERR
    except (AttributeError, OSError, ValueError):
        return False


def _unknown(held: IO[bytes]) -> str:
    end = held.seek(0, os.SEEK_END)
    held.seek(max(0, end - _SHOWN_BYTES))
    lines = held.read().decode("utf-8", "replace").splitlines()
    return "".join(f"{line}\n" for line in lines if not _KNOWN.match(line))
