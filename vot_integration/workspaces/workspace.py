"""Workspaces of the VOT toolkit: made whole or not at all, reused only for what they were made for.

A workspace keeps results, and results must not be mixed: `arvot.json` in it records the sequences,
the experiments and, for each tracker, the weights, device and precision they were made with.
"""

import errno
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import resources
from pathlib import Path

import yaml

from alpharefine.data.images import is_data
from alpharefine.errors import UsageError
from vot_integration.files import absolute, write_text
from vot_integration.sequences.folder import LIST_FILE, read_list, write_list
from vot_integration.toolkit.experiments import expected_runs
from vot_integration.toolkit.results import Run
from vot_integration.toolkit.stacks import EaoInterval, Stack, load_stack
from vot_integration.workspaces.changes import extend, protocols, restack
from vot_integration.workspaces.dataset import (
    Dataset,
    read_builtin,
    read_dataset,
    read_kept,
    write_dataset,
)
from vot_integration.workspaces.lock import LOCK_FILE, exclusive
from vot_integration.workspaces.manifest import Manifest, find_manifest, read_manifest
from vot_integration.workspaces.official import CONFIG_FILE, OfficialWorkspace, read_official
from vot_integration.workspaces.own_trackers import Section, read_own_trackers
from vot_integration.workspaces.records import TrackerRecord, catalog_name
from vot_integration.workspaces.trackers_ini import TRACKERS_FILE, workspace_ini

TRACKERS_BEFORE = f"{TRACKERS_FILE}.before-arvot"
"""What the trackers.ini of a workspace of the toolkit's own is kept as."""

_SHOWN_NAMES = 3


@dataclass(frozen=True)
class WorkspaceSpec:
    """A workspace that is wanted.

    Attributes:
        folder: absolute path.
        dataset: sequences to run on; None for the built-in ones.
        stack: all experiments, with the EAO interval.
        records: how trackers are to run, by their name in the catalog.
        own: trackers of the user's own to register, sections of trackers.ini by name.
        experiments: names of those to use now; None for all.
        adopt: whether a workspace of the toolkit's own may become this one, and sequences may be
            taken from another place.
    """

    folder: Path
    dataset: Dataset | None
    stack: Stack
    records: Mapping[str, TrackerRecord] = field(default_factory=dict)
    own: Mapping[str, Section] = field(default_factory=dict)
    experiments: Sequence[str] | None = None
    adopt: bool = False

    @property
    def chosen(self) -> Stack:
        """The experiments to use now."""
        if self.experiments is None:
            return self.stack.runnable()
        return self.stack.select(self.experiments)


@dataclass(frozen=True)
class Workspace:
    """A workspace on disk.

    Attributes:
        folder: absolute path.
        dataset: its sequences, or those of them to use now.
        stack: its experiments, or those of them to use now.
        interval: the EAO interval, None where the stack has none.
        records: what the trackers' results are made with, by their name in the catalog.
    """

    folder: Path
    dataset: Dataset
    stack: Stack
    interval: EaoInterval | None
    records: Mapping[str, TrackerRecord]

    @cached_property
    def own(self) -> Mapping[str, Section]:
        """Trackers of the user's own that are registered, sections of trackers.ini by name.

        Raises:
            UsageError: trackers.ini is damaged.
        """
        return read_own_trackers(self.folder / TRACKERS_FILE)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The runs of its experiments, in their order."""
        return tuple(expected_runs(self.stack.experiments, self.dataset.sequences))

    def runs_of(self, experiment: str) -> list[Run]:
        """The runs of one of its experiments."""
        return [run for run in self.runs if run.experiment == experiment]

    def record_of(self, registered_name: str) -> TrackerRecord | None:
        """What a tracker's results are made with; None where arvot has not evaluated it."""
        return self.records.get(catalog_name(registered_name))

    def has_foreign_results(self, registered_name: str) -> bool:
        """Whether results of a tracker may be there that something else than arvot made."""
        record = self.record_of(registered_name)
        return record is None or record.foreign

    def results(self, registered_name: str) -> Path:
        """Folder of one registered tracker's results."""
        return self.folder / "results" / registered_name

    def analysis(self, registered_name: str) -> Path:
        """The toolkit's analysis of one registered tracker."""
        return self.folder / "analysis" / f"{registered_name}.json"

    def report(self, registered_names: Sequence[str]) -> Path:
        """The toolkit's report of registered trackers."""
        return self.folder / "reports" / "+".join(registered_names) / "report.html"


def open_workspace(spec: WorkspaceSpec) -> Workspace:
    """Make the workspace, or take the one that is there when its results fit.

    Raises:
        UsageError: the folder holds something else, or results of other experiments or made with
            other settings; or an evaluation is running in it.
    """
    if not spec.folder.exists() or (
        spec.folder.is_dir() and not any(map(is_data, spec.folder.iterdir()))
    ):
        return _create(spec)
    known = find_manifest(spec.folder)
    official = read_official(spec.folder) if known is None else None
    if known is None and official is None:
        raise UsageError(_occupied(spec.folder))
    if official is not None and not spec.adopt:
        # It says what to do.
        read_manifest(spec.folder)
    with exclusive(spec.folder):
        if official is not None:
            return _adopt(spec, official)
        return _reuse(spec, read_manifest(spec.folder))


def load_workspace(folder: Path, experiments: Sequence[str] | None = None) -> Workspace:
    """Read a workspace; nothing is changed.

    Args:
        folder: the workspace.
        experiments: names of those to use; None for all.

    Raises:
        UsageError: it is not a workspace, it has no such experiment, or its sequences are not what
            they were.
    """
    folder = absolute(folder)
    manifest = read_manifest(folder)
    stack = manifest.stack
    stack = stack.runnable() if experiments is None else stack.select(experiments)
    dataset = read_kept(folder / "sequences", manifest.source, stack)
    _check_dataset(folder, dataset, manifest)
    return Workspace(folder, dataset, stack, manifest.stack.find_interval(), manifest.trackers)


def record_trackers(workspace: Workspace, records: Mapping[str, TrackerRecord]) -> Workspace:
    """Record how trackers run in a workspace, which keeps its stack and its sequences.

    Args:
        workspace: as it was read, with the experiments that are to be run.
        records: by their name in the catalog.

    Raises:
        UsageError: results of these trackers were made otherwise; or the workspace cannot be
            written, or an evaluation is running in it.
    """
    with exclusive(workspace.folder):
        manifest = read_manifest(workspace.folder)
        stack = manifest.stack.select(list(workspace.stack.experiments))
        manifest = extend(workspace.folder, manifest, stack, records)
        _write_trackers(workspace.folder, workspace.folder, manifest, {})
        manifest.write(workspace.folder)
    return replace(workspace, records=manifest.trackers)


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
        (draft / LOCK_FILE).touch()
        dataset = write_dataset(draft / "sequences", spec.dataset, spec.chosen)
        manifest = Manifest(dataset.source, dataset.fingerprint(), spec.stack, {}, {})
        manifest = extend(draft, manifest, spec.chosen, spec.records)
        _write_settings(draft, spec, manifest)
        # mkdtemp makes folders that only their owner can read.
        draft.chmod(0o755)
        _rename(draft, spec.folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    dataset = dataset.moved(draft, spec.folder)
    interval = spec.stack.find_interval()
    return Workspace(spec.folder, dataset, spec.chosen, interval, manifest.trackers)


def _rename(draft: Path, folder: Path) -> None:
    """Put a draft in the place of a folder, which may hold what systems leave: that is kept."""
    left = [p for p in folder.iterdir() if not is_data(p)] if folder.is_dir() else []
    try:
        for path in left:
            path.replace(draft / path.name)
        draft.replace(folder)
    except OSError as error:
        for path in left:
            if (draft / path.name).exists():
                (draft / path.name).replace(path)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        raise UsageError(
            f"another command has just made {folder}: give this one again to use it"
        ) from error


def _reuse(spec: WorkspaceSpec, manifest: Manifest) -> Workspace:
    folder = spec.folder
    dataset = spec.dataset or read_builtin(folder / "sequences", spec.chosen)
    if spec.adopt and dataset.source != manifest.source:
        dataset, manifest = _repoint(folder, dataset, manifest)
    _check_dataset(folder, dataset, manifest)
    adopted = manifest.adopted and spec.stack == manifest.stack
    manifest = restack(folder, replace(manifest, adopted=adopted), spec.stack)
    manifest = extend(folder, manifest, spec.chosen, spec.records)
    _write_settings(folder, spec, manifest)
    interval = spec.stack.find_interval()
    return Workspace(folder, dataset, spec.chosen, interval, manifest.trackers)


def _repoint(folder: Path, dataset: Dataset, manifest: Manifest) -> tuple[Dataset, Manifest]:
    """Let a workspace take the same sequences from another place.

    Raises:
        UsageError: they are not the same.
    """
    listed = read_list(folder / "sequences")
    dataset = dataset.in_order_of([path.name for path in listed])
    if dataset.fingerprint() != manifest.fingerprint:
        raise UsageError(_difference(folder, dataset, listed, manifest.source))
    if dataset.source != str(folder / "sequences"):
        write_list(folder / "sequences", (str(sequence.path) for sequence in dataset.sequences))
    return dataset, replace(manifest, source=dataset.source)


def _difference(folder: Path, dataset: Dataset, listed: Sequence[Path], source: str) -> str:
    """Why sequences cannot take the place of those that a workspace was made for."""
    new, old = {entry.name for entry in dataset.sequences}, {path.name for path in listed}
    why = "their ground truth, anchors or properties differ"
    if new != old:
        lacking, further = sorted(old - new), sorted(new - old)
        why = f"{lacking[0]} is not among them" if lacking else f"{further[0]} is one more"
    return (
        f"{folder} was made for the sequences in {source}, and those in {dataset.source} are not "
        f"the same: {why}; name another workspace for them"
    )


def _adopt(spec: WorkspaceSpec, official: OfficialWorkspace) -> Workspace:
    """Add to a workspace of the toolkit's own what is missing; results and config.yaml stay."""
    folder, stack, dataset = spec.folder, load_stack(official.stack), spec.dataset
    assert dataset is not None
    listed = folder / "sequences"
    if (listed / LIST_FILE).is_file() and str(listed) != dataset.source:
        ours = read_dataset(listed, spec.chosen)
        if ours.fingerprint() != dataset.fingerprint():
            raise UsageError(
                f"{folder} is a workspace of the toolkit with sequences of its own in {listed}: "
                "leave out --sequences, or name another folder for the workspace"
            )
        dataset = ours
    manifest = Manifest(
        dataset.source, dataset.fingerprint(), stack, protocols(stack), {}, spec.stack == stack
    )
    manifest = restack(folder, manifest, spec.stack)
    manifest = extend(folder, manifest, spec.chosen, spec.records)
    (folder / "results").mkdir(exist_ok=True)
    if not (listed / LIST_FILE).is_file():
        listed.mkdir(exist_ok=True)
        write_list(listed, (str(sequence.path) for sequence in dataset.sequences))
    trackers = folder / TRACKERS_FILE
    if trackers.is_file() and trackers.read_bytes().strip():
        shutil.copyfile(trackers, folder / TRACKERS_BEFORE)
    _write_settings(folder, spec, manifest)
    interval = spec.stack.find_interval()
    return Workspace(folder, dataset, spec.chosen, interval, manifest.trackers)


def _occupied(folder: Path) -> str:
    """Why no workspace can be made of a path where something is."""
    if not folder.is_dir():
        return f"{folder} is a file: name a new or an empty folder for the workspace"
    names = sorted(path.name for path in folder.iterdir())
    shown = ", ".join([*names[:_SHOWN_NAMES], *(["..."] if len(names) > _SHOWN_NAMES else [])])
    return (
        f"{folder} is not a workspace of arvot and holds other files ({shown}): name a new or an "
        "empty folder"
    )


def _check_dataset(folder: Path, dataset: Dataset, manifest: Manifest) -> None:
    if (dataset.source, dataset.fingerprint()) != (manifest.source, manifest.fingerprint):
        remedy = "name another workspace or delete it"
        names = [path.name for path in read_list(folder / "sequences")]
        if dataset.in_order_of(names).fingerprint() == manifest.fingerprint:
            given = f"{shlex.quote(str(folder))} --sequences {shlex.quote(dataset.source)}"
            remedy = f"these are the same in another place, which `arvot init {given}` lets it take"
        raise UsageError(f"{folder} was made for other sequences ({manifest.source}); {remedy}")


def _write_settings(folder: Path, spec: WorkspaceSpec, manifest: Manifest) -> None:
    """Write everything but sequences and results; `spec.folder` is where `folder` ends up."""
    if not manifest.adopted:
        config = yaml.safe_load((_template() / CONFIG_FILE).read_text(encoding="utf-8"))
        config.update(registry=[TRACKERS_FILE], stack="stack.yaml", sequences="sequences")
        write_text(folder / "stack.yaml", spec.chosen.dump())
        write_text(folder / CONFIG_FILE, yaml.safe_dump(config, sort_keys=False))
    _write_trackers(folder, spec.folder, manifest, spec.own)
    manifest.write(folder)


def _write_trackers(
    folder: Path, final: Path, manifest: Manifest, further: Mapping[str, Section]
) -> None:
    """Write trackers.ini in `folder`, which ends up as `final`; own trackers in it are kept."""
    settings = {name: record.settings for name, record in manifest.trackers.items()}
    own = {**read_own_trackers(folder / TRACKERS_FILE), **further}
    write_text(folder / TRACKERS_FILE, workspace_ini(final, settings, own))


def _template() -> Path:
    return Path(str(resources.files("vot_integration") / "resources" / "workspace_template"))
