"""Progress of a training run on a terminal, or as lines of text where the output is no terminal."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console
from rich.logging import RichHandler

import alpharefine
from alpharefine.training.interface import Progress
from alpharefine.training.metrics import Row

_PARTS = 1000


@contextmanager
def shown_warnings(console: Console) -> Iterator[None]:
    """Print the library's warnings, such as the numbers of skipped files, above any bar."""
    logger = logging.getLogger(alpharefine.__name__)
    handler = RichHandler(logging.WARNING, console, show_time=False, show_path=False)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class TrainDisplay:
    """A bar for the run, and a line of metrics after each epoch; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = bars.Progress(
            bars.TextColumn("epoch {task.fields[epoch]}"),
            bars.BarColumn(),
            bars.TaskProgressColumn(),
            bars.TextColumn("step {task.fields[step]}"),
            bars.TimeElapsedColumn(),
            bars.TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bars.add_task("run", total=_PARTS, epoch=0, step=0)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def observe(self, progress: Progress) -> None:
        """See `alpharefine.training.engine.Observer`."""
        self._bars.update(
            self._task,
            completed=min(progress.share, 1.0) * _PARTS,
            epoch=progress.epoch,
            step=progress.step,
        )
        if progress.row is not None:
            self._console.print(_describe(progress.row), highlight=False, soft_wrap=True)


def _describe(row: Row) -> str:
    shown = {
        name.removeprefix("val/"): value
        for name, value in row.items()
        if name.startswith("val/") or name == "train/loss"
    }
    values = "  ".join(f"{name} {value:.4g}" for name, value in shown.items())
    return f"epoch {row['epoch']:.0f}: {values}"
