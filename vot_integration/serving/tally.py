"""What happened in one run of the server, in numbers."""

import logging
from collections import Counter

_log = logging.getLogger(__name__)


class Tally:
    """Counts events and logs their sum once, whoever ends the run."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._reported = False

    def add(self, event: str) -> None:
        """Count one event, named in the plural as it will be logged."""
        self._events[event] += 1

    def __getitem__(self, event: str) -> int:
        return self._events[event]

    def report(self) -> None:
        """Log all counts, the first time this is called."""
        if not self._reported:
            self._reported = True
            counts = (f"{count} {event}" for event, count in self._events.items())
            _log.info("run ended: %s", ", ".join(counts) or "nothing was asked")
