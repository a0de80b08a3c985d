"""What a machine of the cluster is sent, and what it sends back: plain data and bytes of files.

A node sees a file by a path that it shares with the machine that asks, or gets its content along.
"""

import glob
import io
import shutil
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alpharefine.nets.registry import WEIGHTS
from alpharefine.nets.spec import SUFFIX
from alpharefine.weights.store import BUNDLED, find_weights
from vot_integration.files import write_bytes
from vot_integration.toolkit.stacks import Stack
from vot_integration.workspaces.own_trackers import Section
from vot_integration.workspaces.records import ITS_OWN, OWN, TrackerRecord, catalog_name
from vot_integration.workspaces.trackers_ini import log_folder
from vot_integration.workspaces.workspace import Workspace


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
        catalog_name: its name in the catalog.
        record: how it is to run.
    """

    stack: Stack
    sequences: Sequence[SentSequence]
    done: Sequence[str]
    tracker: str
    catalog_name: str
    record: TrackerRecord
    own: Mapping[str, Section]

    def work(
        self, weights: "Sequence[SentWeights] | None", environment: Mapping[str, str]
    ) -> "NodeResult":
        """See `vot_integration.evaluation.jobs.Parcel`."""
        from vot_integration.cluster.node import evaluate_parcel

        return evaluate_parcel(self, weights, environment)


@dataclass(frozen=True)
class NodeResult:
    """What has become of a parcel.

    Attributes:
        node: name of the machine.
        succeeded: whether the toolkit came to its end.
        output: what it said.
        results: content of result files, by path relative to the tracker's folder of results.
        logs: content of the tracker's own logs, by name.
    """

    node: str
    succeeded: bool
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
    done = [
        str(file.relative_to(results))
        for run in shard.runs
        if run.is_whole(results)
        for file in run.folder(results).glob(f"{glob.escape(run.name)}.*")
    ]
    name = catalog_name(tracker)
    record = shard.records[name]
    if record.device != ITS_OWN:
        # What was recorded holds on every node; which GPU it is, Ray decides.
        device = record.device.partition(":")[0]
        record = replace(record, settings=replace(record.settings, device=device))
    own = {key: value for key, value in shard.own.items() if key == tracker}
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


@dataclass(frozen=True)
class SentWeights:
    """One item of what a tracker is told to load.

    Attributes:
        name: of the file; or, without content, the item itself, such as "random:0".
        content: of the file.
    """

    name: str
    content: bytes | None = None

    def place(self, folder: Path) -> str:
        """The item for a machine that keeps sent files in a folder."""
        if self.content is None:
            return self.name
        (folder / self.name).write_bytes(self.content)
        return str(folder / self.name)


def gather_weights(record: TrackerRecord) -> list[SentWeights] | None:
    """The weights that a tracker's record names, with the content of all files.

    What is part of the package goes by its name: every machine has the same version of it. None for
    a tracker of the user's own, which finds its weights itself.
    """
    if record.weights == OWN:
        return None
    chosen = record.settings.weights
    if chosen is None:
        items = record.weights.split("+")
    else:
        items = [chosen] if Path(chosen).exists() else chosen.split(",")
    return [weights for item in items for weights in _gather(item)]


def _gather(item: str) -> list[SentWeights]:
    path = Path(item)
    if item in WEIGHTS:
        found = find_weights(WEIGHTS[item])
        if found is None or found.parent == BUNDLED:
            return [SentWeights(item)]
        path = found
    if path.is_dir():
        return [
            SentWeights(file.name, file.read_bytes()) for file in sorted(path.glob(f"*{SUFFIX}"))
        ]
    return [SentWeights(path.name, path.read_bytes())] if path.is_file() else [SentWeights(item)]


def store_result(workspace: Workspace, tracker: str, answer: NodeResult) -> int:
    """Put the results of an answer into a workspace; runs that are not whole are left out.

    Args:
        workspace: the part of the workspace that the answer is about.
        tracker: registered name.
        answer: from a machine.

    Returns:
        How many runs were stored.
    """
    stored = 0
    results = workspace.results(tracker)
    with tempfile.TemporaryDirectory(prefix=".arvot-", dir=workspace.folder) as name:
        draft = Path(name)
        for path, content in answer.results.items():
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(content)
        for run in workspace.runs:
            if run.is_whole(draft) and not run.is_whole(results):
                _move(run.folder(draft), run.folder(results), run.name)
                stored += 1
    logs = log_folder(workspace.folder)
    logs.mkdir(parents=True, exist_ok=True)
    for file, content in answer.logs.items():
        write_bytes(logs / f"{answer.node}-{file}", content)
    return stored


def _move(source: Path, target: Path, run: str) -> None:
    """Move a run's files, the regions last: the toolkit takes a run that has them for finished."""
    target.mkdir(parents=True, exist_ok=True)
    regions = [source / f"{run}{suffix}" for suffix in (".bin", ".txt")]
    properties = [path for path in source.glob(f"{run}_*") if path not in regions]
    for file in [*properties, *(path for path in regions if path.is_file())]:
        shutil.move(file, target / file.name)
