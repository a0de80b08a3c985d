"""What a machine of the cluster does with a parcel: a workspace of its own, evaluated and read."""

import socket
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.cluster.parcel import (
    NodeResult,
    Parcel,
    SentSequence,
    SentWeights,
    read_files,
    unpack_folder,
)
from vot_integration.evaluation.shards import run_shard
from vot_integration.sequences.folder import write_list
from vot_integration.workspaces.dataset import read_dataset
from vot_integration.workspaces.records import TrackerRecord, place_overrides, repeat_record
from vot_integration.workspaces.trackers_ini import log_folder
from vot_integration.workspaces.workspace import Workspace, WorkspaceSpec, open_workspace


def evaluate_parcel(
    parcel: Parcel, weights: Sequence[SentWeights] | None, environment: Mapping[str, str]
) -> NodeResult:
    """Run a part of an evaluation on this machine.

    Args:
        parcel: what to run.
        weights: those that were sent along, None to take them as the record says.
        environment: variables for the toolkit and the tracker.

    Raises:
        UsageError: this machine would run the tracker otherwise than the sender has recorded, or
            does not see the sequences.
    """
    with tempfile.TemporaryDirectory(prefix="arvot-node-") as name:
        folder = Path(name)
        workspace = _make_workspace(parcel, weights, folder)
        results = workspace.results(parcel.tracker)
        for file in parcel.done:
            # The toolkit leaves out a run whose file is there, whatever is in it.
            (results / file).parent.mkdir(parents=True, exist_ok=True)
            (results / file).touch()
        log = workspace.folder / "logs" / "vot-evaluate.log"
        outcome = run_shard(workspace, parcel.tracker, environment, log)
        found = read_files(results, "*/*/*")
        return NodeResult(
            socket.gethostname(),
            outcome.succeeded,
            outcome.output,
            {path: content for path, content in found.items() if path not in parcel.done},
            read_files(log_folder(workspace.folder), "*.log"),
        )


def _make_workspace(
    parcel: Parcel, weights: Sequence[SentWeights] | None, folder: Path
) -> Workspace:
    sequences = folder / "sequences"
    sequences.mkdir()
    write_list(sequences, [_place(sequence, sequences) for sequence in parcel.sequences])
    dataset = read_dataset(sequences, parcel.stack)
    place = folder / "workspace"
    logs = {"env_ARVOT_LOG_DIR": str(log_folder(place))}
    own = {name: {**section, **logs} for name, section in parcel.own.items()}
    records = {parcel.catalog_name: _record(parcel, weights, folder)}
    return open_workspace(WorkspaceSpec(place, dataset, parcel.stack, records, own))


def _place(sequence: SentSequence, folder: Path) -> str:
    """Entry of list.txt for a sequence, which is unpacked if it was sent along."""
    if sequence.archive is not None:
        unpack_folder(sequence.archive, folder / sequence.name)
        return sequence.name
    if not Path(sequence.path).is_dir():
        raise UsageError(
            f"{socket.gethostname()} does not see {sequence.path}: put the sequences on a shared "
            "path, or let them be sent with --ray-send"
        )
    return sequence.path


def _record(parcel: Parcel, weights: Sequence[SentWeights] | None, folder: Path) -> TrackerRecord:
    if parcel.own:
        return parcel.record
    settings = parcel.record.settings
    if weights is not None:
        items = [entry.place(folder) for entry in weights]
        settings = replace(settings, weights=",".join(items))
    settings = place_overrides(folder, settings, parcel.record)
    return repeat_record(parcel.tracker, settings, parcel.record)
