"""Workspaces of the VOT toolkit: made whole or not at all, reused only for what they were made for.

A workspace keeps results, and results must not be mixed: `arvot.json` in it records the sequences,
the experiments and, for each tracker, the weights, device and precision they were made with.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

import alpharefine
from alpharefine.errors import UsageError
from vot_integration.dataset import Dataset, read_dataset
from vot_integration.sequences import RENDERING, write_builtin_sequences
from vot_integration.stacks import Stack
from vot_integration.trackers_ini import TrackerSettings, registrations, workspace_ini
from vot_integration.vot_folder import write_list

MANIFEST = "arvot.json"


@dataclass(frozen=True)
class TrackerRecord:
    """What a tracker's results in a workspace were made with.

    Attributes:
        weights: name of the weights.
        sha256: their hash.
        device: torch device, resolved.
        precision: precision as asked for.
        arvot: version of this package.
        settings: what trackers.ini tells the server.
    """

    weights: str
    sha256: str
    device: str
    precision: str
    settings: TrackerSettings
    arvot: str = alpharefine.__version__


@dataclass(frozen=True)
class WorkspaceSpec:
    """A workspace that is wanted.

    Attributes:
        folder: absolute path.
        dataset: sequences to run on; None for the built-in ones.
        stack: experiments to run, with the EAO interval.
        tracker: name in the catalogue.
        record: how this tracker is to run.
    """

    folder: Path
    dataset: Dataset | None
    stack: Stack
    tracker: str
    record: TrackerRecord


@dataclass(frozen=True)
class Workspace:
    """A workspace on disk."""

    folder: Path
    dataset: Dataset
    stack: Stack

    def results(self, registered_name: str) -> Path:
        """Folder of one registered tracker's results."""
        return self.folder / "results" / registered_name

    def analysis(self, registered_name: str) -> Path:
        """The toolkit's analysis of one registered tracker."""
        return self.folder / "analysis" / f"{registered_name}.json"

    def report(self, registered_name: str) -> Path:
        """The toolkit's report of one registered tracker."""
        return self.folder / "reports" / registered_name / "report.html"


@dataclass(frozen=True)
class _Manifest:
    """Content of `arvot.json`."""

    source: str
    fingerprint: str
    experiments: Mapping[str, Any]
    trackers: Mapping[str, TrackerRecord]

    @classmethod
    def read(cls, file: Path) -> "_Manifest":
        document = json.loads(file.read_text(encoding="utf-8"))
        trackers = {
            name: TrackerRecord(**{**entry, "settings": TrackerSettings(**entry["settings"])})
            for name, entry in document["trackers"].items()
        }
        return cls(**{**document, "trackers": trackers})

    def write(self, file: Path) -> None:
        write_text(file, json.dumps(asdict(self), indent=2) + "\n")


def open_workspace(spec: WorkspaceSpec) -> Workspace:
    """Make the workspace, or take the one that is there when its results fit.

    Raises:
        UsageError: the folder holds something else, or results made with other settings.
    """
    manifest_file = spec.folder / MANIFEST
    if not spec.folder.exists() or (spec.folder.is_dir() and not any(spec.folder.iterdir())):
        return _create(spec)
    if not manifest_file.is_file():
        raise UsageError(f"{spec.folder} is not a workspace of arvot; pass another --workspace")
    try:
        manifest = _Manifest.read(manifest_file)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{manifest_file} cannot be read ({error}); pass another --workspace or delete this one"
        ) from error
    return _reuse(spec, manifest)


def write_text(file: Path, text: str) -> None:
    """Write a file in one step: other processes see the old content or the new one."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _create(spec: WorkspaceSpec) -> Workspace:
    parent = spec.folder.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=parent, prefix=f".{spec.folder.name}-"))
    except OSError as error:
        raise UsageError(f"cannot make a workspace in {parent}: {error.strerror}") from error
    try:
        shutil.copytree(_template(), draft, dirs_exist_ok=True)
        (draft / "results").mkdir()
        dataset = _write_sequences(draft / "sequences", spec)
        manifest = _Manifest(dataset.source, dataset.fingerprint(), {}, {})
        _write_settings(draft, spec, manifest)
        # mkdtemp makes folders that only their owner can read.
        draft.chmod(0o755)
        draft.replace(spec.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Workspace(spec.folder, dataset.moved(draft, spec.folder), spec.stack)


def _reuse(spec: WorkspaceSpec, manifest: _Manifest) -> Workspace:
    folder = spec.folder
    dataset = spec.dataset or _read_builtin(folder / "sequences", spec.stack)
    if (dataset.source, dataset.fingerprint()) != (manifest.source, manifest.fingerprint):
        raise UsageError(
            f"{folder} was made for other sequences ({manifest.source}); "
            "pass another --workspace or delete it"
        )
    for name, definition in _protocols(spec.stack).items():
        if manifest.experiments.get(name, definition) != definition:
            raise UsageError(
                f"{folder} holds results of another experiment {name!r}; "
                "pass another --workspace or delete it"
            )
    recorded = manifest.trackers.get(spec.tracker, spec.record)
    if recorded != spec.record and _has_results(folder, spec.tracker):
        raise UsageError(
            f"{folder} holds results of {spec.tracker} made with {_describe(recorded)}, "
            f"not {_describe(spec.record)}; pass another --workspace or delete it"
        )
    _write_settings(folder, spec, manifest)
    return Workspace(folder, dataset, spec.stack)


def _write_settings(folder: Path, spec: WorkspaceSpec, manifest: _Manifest) -> None:
    """Write everything but sequences and results; `spec.folder` is where `folder` ends up."""
    experiments = {**manifest.experiments, **_protocols(spec.stack)}
    trackers = {**manifest.trackers, spec.tracker: spec.record}
    settings = {name: record.settings for name, record in trackers.items()}
    config = yaml.safe_load((_template() / "config.yaml").read_text(encoding="utf-8"))
    config.update(registry=["trackers.ini"], stack="stack.yaml", sequences="sequences")

    write_text(folder / "stack.yaml", spec.stack.dump())
    write_text(folder / "trackers.ini", workspace_ini(spec.folder, settings))
    write_text(folder / "config.yaml", yaml.safe_dump(config, sort_keys=False))
    replace(manifest, experiments=experiments, trackers=trackers).write(folder / MANIFEST)


def _write_sequences(folder: Path, spec: WorkspaceSpec) -> Dataset:
    folder.mkdir()
    if spec.dataset is None:
        write_builtin_sequences(folder)
        return _read_builtin(folder, spec.stack)
    # Absolute paths: the user's images are not copied.
    write_list(folder, (str(sequence.path) for sequence in spec.dataset.sequences))
    return spec.dataset


def _read_builtin(folder: Path, stack: Stack) -> Dataset:
    return read_dataset(folder, stack, source=f"built-in, version {RENDERING}")


def _protocols(stack: Stack) -> dict[str, Any]:
    """What the results of each experiment depend on: all of its definition but the analyses."""
    return {
        name: {key: value for key, value in body.items() if key != "analyses"}
        for name, body in stack.experiments.items()
    }


def _has_results(folder: Path, tracker: str) -> bool:
    names = [entry.name for entry in registrations().values() if entry.tracker == tracker]
    return any(file for name in names for file in (folder / "results").glob(f"{name}/*/*/*"))


def _describe(record: TrackerRecord) -> str:
    weights = f"weights {record.weights} ({record.sha256[:12]})"
    return f"{weights}, {record.device}, {record.precision}, arvot {record.arvot}"


def _template() -> Path:
    return Path(str(resources.files("vot_integration") / "resources" / "workspace_template"))
