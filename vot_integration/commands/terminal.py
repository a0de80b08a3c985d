"""How the commands write to the terminal."""

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is.

    Paths and names are neither broken over lines, nor read as markup, nor coloured.

    Args:
        stderr: write to standard error.
    """
    return Console(stderr=stderr, highlight=False, markup=False, soft_wrap=True)
