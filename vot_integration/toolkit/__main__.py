"""`python -m vot_integration.toolkit ARGUMENTS` is `vot ARGUMENTS` as this package needs it."""

import os
import signal
import threading

from vot_integration.toolkit.interface import toolkit
from vot_integration.toolkit.process import END_WITH_STDIN


def _end_with_parent() -> None:
    """Kill this process group, the tracker included, when the parent closes our standard input.

    A parent that was killed stops nothing itself; a toolkit left behind would write results while
    the same command, given again, does so too.
    """

    def wait() -> None:
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def main() -> None:
    """Run the toolkit's own command line on this process's arguments."""
    if os.environ.pop(END_WITH_STDIN, None):
        _end_with_parent()
    toolkit().run_commands()


if __name__ == "__main__":
    main()
