"""The toolkit's command line in a process of its own; see `vot_integration.toolkit.__main__`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vot_integration.child import run_module


def run_toolkit(
    arguments: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    on_tick: Callable[[], None] = lambda: None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run one `vot` command and wait for it.

    Args:
        arguments: arguments of `vot`, the verb first.
        cwd: working folder; its trackers.ini is searched by the toolkit.
        log: as of `run_module`, like the rest.
        on_tick: likewise.
        environment: likewise.

    Returns:
        The exit status and the output. Mind that `vot` exits 0 when a tracker fails.
    """
    return run_module(
        "vot_integration.toolkit",
        arguments,
        cwd=cwd,
        log=log,
        on_tick=on_tick,
        # The persistent cache never notices changed results.
        environment={"VOT_PERSISTENT_CACHE": "false", **(environment or {})},
    )
