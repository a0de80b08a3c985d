"""Jobs of the official toolkit: `vot evaluate` on parts of a workspace."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vot_integration.cluster.parcel import (
    NodeResult,
    Parcel,
    SentWeights,
    gather_weights,
    make_parcel,
    store_result,
)
from vot_integration.evaluation.jobs import Outcome
from vot_integration.evaluation.view import toolkit_view
from vot_integration.toolkit.process import run_toolkit
from vot_integration.workspaces.records import catalog_name
from vot_integration.workspaces.workspace import Workspace

_SUCCESS = "Evaluation concluded"


@dataclass(frozen=True)
class ShardJob:
    """A part of a workspace; see `vot_integration.evaluation.jobs.Job`.

    Attributes:
        shard: workspace whose experiments and sequences are to be run.
        tracker: name of a tracker in its registry.
        number: of the part, for the name of its log.
    """

    shard: Workspace
    tracker: str
    number: int = 0

    @property
    def folder(self) -> Path:
        """The workspace's."""
        return self.shard.folder

    @property
    def names(self) -> Sequence[str]:
        """Names of its sequences."""
        return [entry.name for entry in self.shard.dataset.sequences]

    def run(self, environment: Mapping[str, str], on_tick: Callable[[], None]) -> Outcome:
        """Run `vot evaluate` in a process."""
        part = f"-{self.number + 1}" if self.number else ""
        log = self.folder / "logs" / f"vot-evaluate-{self.tracker}{part}.log"
        return run_shard(self.shard, self.tracker, environment, log, on_tick)

    def weights(self) -> list[SentWeights] | None:
        """Files of the tracker's weights."""
        return gather_weights(self.shard.records[catalog_name(self.tracker)])

    def parcel(self, *, send: bool) -> Parcel:
        """See `make_parcel`."""
        return make_parcel(self.shard, self.tracker, send=send)

    def store(self, answer: NodeResult) -> Outcome:
        """Put whole runs into the workspace."""
        store_result(self.shard, self.tracker, answer)
        return Outcome(answer.succeeded, answer.output)


def run_shard(
    shard: Workspace,
    tracker: str,
    environment: Mapping[str, str],
    log: Path,
    on_tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run `vot evaluate` on a part of a workspace.

    Args:
        shard: the part.
        tracker: name of a tracker in its registry.
        environment: variables for the toolkit and the tracker.
        log: file for the toolkit's output.
        on_tick: called about twice a second meanwhile.
    """
    with toolkit_view(shard, runs=True) as view:
        status, output = run_toolkit(
            ["evaluate", "--workspace", str(view), tracker],
            cwd=view,
            log=log,
            on_tick=on_tick,
            environment=environment,
        )
    # The exit status alone says little.
    return Outcome(status == 0 and _SUCCESS in output, output)
