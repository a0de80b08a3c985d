"""Progress of a run on a terminal, or as lines of text where the output is no terminal."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich import progress as bars
from rich.console import Console
from rich.status import Status

from vot_integration.evaluation.evaluate import ExperimentProgress

STEP = 0.1
"""Share of an experiment after which a new line is printed where there is no terminal."""

_SPEED_PERIOD_SECONDS = 86400.0


class RunDisplay:
    """The current stage, and a bar with the time left for each experiment; a context manager.

    Args:
        console: to print on.
        notes: lines before the first stage, when nothing is refused any more.
    """

    def __init__(self, console: Console, notes: Sequence[str] = ()) -> None:
        self._console, self._notes = console, notes
        self._live: Status | bars.Progress | None = None
        self._bars: bars.Progress
        self._tasks: dict[str, bars.TaskID]
        self._printed: dict[str, tuple[int, float]]
        self._reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def stage(self, text: str) -> None:
        """Show what happens now."""
        self._stop()
        self._reset()
        for line in (*self._notes, text):
            self._console.print(line)
        self._notes = ()
        if self._console.is_terminal:
            self._live = self._console.status("")
            self._live.start()

    def progress(self, progress: ExperimentProgress) -> None:
        """Show how far an experiment is."""
        runs = f"{progress.runs}/{progress.all_runs} runs"
        if self._console.is_terminal:
            self._show_bar(progress, runs)
        else:
            self._print_step(progress, runs)

    def _reset(self) -> None:
        self._bars, self._tasks = _make_bars(self._console), {}
        self._printed = {}

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _show_bar(self, progress: ExperimentProgress, runs: str) -> None:
        if self._live is not self._bars:
            self._stop()
            self._live = self._bars
            self._bars.start()
        name = progress.experiment
        if name not in self._tasks:
            frames = progress.all_frames
            self._tasks[name] = self._bars.add_task(name, total=frames, runs=runs, start=False)
        task = self._tasks[name]
        # The total changes when repetitions turn out to differ, or the toolkit leaves some out.
        self._bars.update(task, total=progress.all_frames, completed=progress.frames, runs=runs)
        # The toolkit runs one experiment after the other: time counts for the first unfinished.
        if all(self._bars.tasks[earlier].finished for earlier in range(task)):
            self._bars.start_task(task)

    def _print_step(self, progress: ExperimentProgress, runs: str) -> None:
        share = progress.frames / progress.all_frames if progress.all_frames else 1.0
        total, last = self._printed.get(progress.experiment, (progress.all_runs, -1.0))
        steps = share >= last + STEP or (share == 1.0 and last < 1.0)
        if steps or total != progress.all_runs:
            self._printed[progress.experiment] = progress.all_runs, share
            self._console.print(f"  {progress.experiment}: {runs} ({share:.0%})")


def _make_bars(console: Console) -> bars.Progress:
    return bars.Progress(
        bars.TextColumn("  {task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[runs]}"),
        bars.TimeElapsedColumn(),
        bars.TextColumn("left"),
        bars.TimeRemainingColumn(),
        console=console,
        # A run of many frames counts when it ends: the mean speed is what can be told.
        speed_estimate_period=_SPEED_PERIOD_SECONDS,
    )
