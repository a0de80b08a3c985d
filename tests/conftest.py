"""Settings of all tests, and the figures that the long ones report."""

from collections.abc import Callable

import pytest
from hypothesis import settings

# Much is compiled or loaded on first use, and the machine may be busy: no example has a deadline.
# The examples are the same in every run: what is found by chance would fail someone else's change.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

_FIGURES: list[str] = []

Report = Callable[[str, object], None]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Report:
    """Report a measured figure, `figure("frames", 8000)`: shown at the end, never asserted."""

    def report(name: str, value: object) -> None:
        shown = f"{value:.4g}" if isinstance(value, float) else value
        _FIGURES.append(f"{request.node.name}: {name} = {shown}")

    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the figures behind the results."""
    if _FIGURES:
        terminalreporter.section("figures")
        for line in _FIGURES:
            terminalreporter.line(line)
