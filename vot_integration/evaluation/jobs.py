"""Work that workers do: cut into jobs, each a process here or a task on a cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from vot_integration.cluster.parcel import SentWeights


@dataclass(frozen=True)
class Outcome:
    """How a job ended: whether it came to its end, and what it said."""

    succeeded: bool
    output: str


class Parcel(Protocol):
    """A job on its way to another machine; plain data and bytes of files."""

    def work(self, weights: Sequence[SentWeights] | None, environment: Mapping[str, str]) -> Any:
        """Do the work there.

        Args:
            weights: those that were sent along, None to take them as they are found there.
            environment: variables for the processes.

        Returns:
            What `Job.store` takes.

        Raises:
            UsageError: that machine cannot do it.
        """


class Job(Protocol):
    """A part of some work, which shares no result with other parts."""

    @property
    def folder(self) -> Path:
        """Folder of results; machines that see it are sent no sequences and weights."""

    @property
    def names(self) -> Sequence[str]:
        """What it is about, for messages: sequences."""

    def run(self, environment: Mapping[str, str], on_tick: Callable[[], None]) -> Outcome:
        """Do the work in a process on this machine.

        Args:
            environment: variables that give it its share of the machine.
            on_tick: called about twice a second meanwhile; what it raises ends the work.
        """

    def weights(self) -> list[SentWeights] | None:
        """Files of the tracker's weights; None where it finds them itself."""

    def parcel(self, *, send: bool) -> Parcel:
        """What another machine needs, but for the weights.

        Args:
            send: whether sequences travel along.
        """

    def store(self, answer: Any) -> Outcome:
        """Put what another machine has answered into its place."""
