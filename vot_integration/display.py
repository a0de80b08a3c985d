"""Progress of a run on a terminal, or as lines of text where the output is no terminal."""

from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console

from vot_integration.evaluate import Progress

STEP = 0.1
"""Share of an experiment after which a new line is printed where there is no terminal."""


class RunDisplay:
    """A bar for each experiment with the time left; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tasks: dict[str, bars.TaskID] = {}
        self._printed: dict[str, float] = {}
        self._bars = bars.Progress(
            bars.TextColumn("  {task.description}"),
            bars.BarColumn(),
            bars.TaskProgressColumn(),
            bars.TextColumn("{task.fields[runs]}"),
            bars.TimeElapsedColumn(),
            bars.TextColumn("left"),
            bars.TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

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

    def stage(self, text: str) -> None:
        """Print what happens now."""
        self._console.print(text)

    def progress(self, progress: Progress) -> None:
        """Show how far an experiment is."""
        runs = f"{progress.runs}/{progress.all_runs} runs"
        if self._console.is_terminal:
            self._show_bar(progress, runs)
        else:
            self._print_step(progress, runs)

    def tick(self) -> None:
        """Nothing to show: the bars refresh themselves."""

    def _show_bar(self, progress: Progress, runs: str) -> None:
        name = progress.experiment
        if name not in self._tasks:
            # Frames finished before this run say nothing about the time that is left.
            self._tasks[name] = self._bars.add_task(name, total=progress.all_frames, runs=runs)
        self._bars.update(self._tasks[name], completed=progress.frames, runs=runs)

    def _print_step(self, progress: Progress, runs: str) -> None:
        share = progress.frames / progress.all_frames if progress.all_frames else 1.0
        last = self._printed.get(progress.experiment, -1.0)
        if share >= last + STEP or (share == 1.0 and last < 1.0):
            self._printed[progress.experiment] = share
            self._console.print(f"  {progress.experiment}: {runs} ({share:.0%})")
