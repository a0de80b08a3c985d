"""What the commands write to the terminal, and what libraries must not."""

import os

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement


def plain_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is.

    Paths and names are neither broken over lines, nor read as markup or emoji, nor colored.

    Args:
        stderr: write to standard error.
    """
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


class Dash:
    """A cell of a table: an en dash, or a hyphen where the terminal has no other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield "-" if options.ascii_only else "–"

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, 1)


def number_cell(value: float | None, form: str = ".3f") -> RenderableType:
    """A cell of a table: a number, or a dash where there is none."""
    return Dash() if value is None else format(value, form)


def quiet_opencv() -> None:
    """Let OpenCV, and FFmpeg in it, say nothing of what a command says itself, in a line."""
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # -8 is AV_LOG_QUIET; read when the first video is opened.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
