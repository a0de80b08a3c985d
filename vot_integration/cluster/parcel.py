"""What a machine of the cluster is sent, and what it sends back: plain data and bytes of files.

A node sees a file by a path that it shares with the machine that asks, or gets its content along.
"""

import glob
import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vot_integration.evaluation.results import expected_runs
from vot_integration.workspaces.own_trackers import Section
from vot_integration.workspaces.records import ITS_OWN, TrackerRecord, catalogue_name
from vot_integration.workspaces.stacks import Stack
from vot_integration.workspaces.workspace import Workspace, own_trackers


@dataclass(frozen=True)
class SentSequence:
    """A sequence: the folder, or its files.

    Attributes:
        name: of the sequence.
        path: folder, as the sender sees it.
        archive: tar file of the folder; None where nodes see the path.
    """

    name: str
    path: str
    archive: bytes | None


@dataclass(frozen=True)
class Parcel:
    """A part of an evaluation.

    Attributes:
        stack: experiments to run.
        sequences: to run them on.
        done: result files of runs that are there already, relative to the tracker's folder.
        tracker: registered name.
        own: its section of trackers.ini when it is one of the user's own.
        catalogue_name: its name in the catalogue.
        record: how it is to run.
    """

    stack: Stack
    sequences: Sequence[SentSequence]
    done: Sequence[str]
    tracker: str
    catalogue_name: str
    record: TrackerRecord
    own: Mapping[str, Section]


@dataclass(frozen=True)
class Answer:
    """What has become of a parcel.

    Attributes:
        node: name of the machine.
        status: exit status of the toolkit.
        output: what it said.
        results: content of result files, by path relative to the tracker's folder of results.
        logs: content of the tracker's own logs, by name.
    """

    node: str
    status: int
    output: str
    results: Mapping[str, bytes]
    logs: Mapping[str, bytes]


def make_parcel(shard: Workspace, tracker: str, *, send: bool) -> Parcel:
    """What a node needs for a part of a workspace, but for the weights.

    Args:
        shard: the part.
        tracker: registered name.
        send: whether sequences travel along.
    """
    results = shard.results(tracker)
    runs = expected_runs(shard.stack.experiments, shard.dataset.sequences)
    done = [
        str(file.relative_to(results))
        for run in runs
        if run.is_whole(results)
        for file in run.folder(results).glob(f"{glob.escape(run.name)}.*")
    ]
    name = catalogue_name(tracker)
    record = shard.records[name]
    if record.device != ITS_OWN:
        # What was recorded holds on every node; which GPU it is, Ray decides.
        device = record.device.partition(":")[0]
        record = replace(record, settings=replace(record.settings, device=device))
    own = {key: value for key, value in own_trackers(shard.folder).items() if key == tracker}
    sequences = [
        SentSequence(entry.name, str(entry.path), pack_folder(entry.path) if send else None)
        for entry in shard.dataset.sequences
    ]
    return Parcel(shard.stack, sequences, done, tracker, name, record, own)


def pack_folder(folder: Path) -> bytes:
    """A folder's files as an uncompressed tar file; links are followed."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", dereference=True) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(file, str(file.relative_to(folder)))
    return target.getvalue()


def unpack_folder(content: bytes, folder: Path) -> None:
    """Write the files of `pack_folder` into a folder, which is made."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")


def read_files(folder: Path, pattern: str) -> dict[str, bytes]:
    """Content of the files that match, by path relative to the folder."""
    files = (path for path in sorted(folder.glob(pattern)) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
