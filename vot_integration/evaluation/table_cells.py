"""Cells of tables on a terminal."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement


class Dash:
    """An en dash, or a hyphen where the terminal has no other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield "-" if options.ascii_only else "–"

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, 1)


def number_cell(value: float | None, form: str = ".3f") -> RenderableType:
    """A number, or a dash where there is none."""
    return Dash() if value is None else format(value, form)
