"""Which checks `arvot doctor` makes, in their order."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import alpharefine
from alpharefine.errors import UsageError
from vot_integration.doctor.findings import Check, Finding, Severity
from vot_integration.doctor.versions import check_versions, installed_versions, own_requirements
from vot_integration.files import absolute
from vot_integration.workspaces.own_trackers import Section, read_own_trackers
from vot_integration.workspaces.trackers_ini import (
    TRACKERS_FILE,
    TrackerSettings,
    registrations,
    workspace_ini,
)


@dataclass(frozen=True)
class DoctorOptions:
    """Options of `arvot doctor`, as the user gave them.

    Attributes:
        tracker: registered name.
        workspace: folder; need not be there.
        is_named: whether the user has named the workspace.
        settings: as `arvot run` takes them; None in all for those of earlier results in the
            workspace, or the tracker's own.
    """

    tracker: str
    workspace: Path
    is_named: bool = False
    settings: TrackerSettings = field(default_factory=TrackerSettings)

    @property
    def folder(self) -> Path:
        """Absolute path of the workspace."""
        return absolute(self.workspace)

    @cached_property
    def own(self) -> Mapping[str, Section]:
        """Trackers of the user's own in the workspace.

        Raises:
            UsageError: its trackers.ini is damaged.
        """
        return read_own_trackers(self.folder / TRACKERS_FILE)


def list_checks(options: DoctorOptions) -> list[Check]:
    """The checks; nothing heavy is imported before they run."""
    return [
        Check("arvot", _check_self),
        Check("packages", lambda: check_versions(installed_versions(), own_requirements())),
        Check("workspace", lambda: _check_workspace(options)),
        Check("tracker", lambda: _check_tracker(options)),
        Check("device", lambda: _check_device(options)),
        Check("weights", lambda: _check_weights(options), frozenset({"tracker", "device"})),
        Check("interpreter", lambda: _check_environment(options), frozenset({"tracker"})),
        Check(
            "trial",
            lambda: _check_trial(options),
            frozenset({"tracker", "device", "weights", "interpreter"}),
        ),
    ]


def _check_self() -> Iterator[Finding]:
    python = sys.version.split()[0]
    text = f"arvot {alpharefine.__version__}, Python {python}, {sys.executable}"
    yield Finding(Severity.GOOD, "arvot", text)


def _check_workspace(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.state import check_workspace

    yield from check_workspace(options.folder, is_named=options.is_named)


def _check_tracker(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.workspaces.records import check_tracker

    check_tracker(options.tracker, options.own)
    whose = "arvot's"
    if options.tracker not in registrations():
        whose = f"your own, in {options.folder / TRACKERS_FILE}"
    yield Finding(Severity.GOOD, "tracker", f"{options.tracker} is one of {whose}")


def _check_device(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.compute import check_device

    settings = _settings(options)
    yield from check_device(settings.device or "auto", settings.precision or "auto")


def _check_weights(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.compute import check_weights
    from vot_integration.workspaces.records import make_record

    record = make_record(options.tracker, _settings(options), options.own)
    yield from check_weights(options.tracker, record)


def _settings(options: DoctorOptions) -> TrackerSettings:
    """As asked for, else as results in the workspace were made."""
    from vot_integration.workspaces.manifest import find_manifest
    from vot_integration.workspaces.records import catalog_name

    if options.settings != TrackerSettings():
        return options.settings
    # What is wrong with the workspace has been said by its own check.
    with suppress(UsageError):
        manifest = find_manifest(options.folder)
        record = manifest and manifest.trackers.get(catalog_name(options.tracker))
        if record:
            return record.settings
    return options.settings


def _check_environment(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.environment import check_environment

    with _registry(options) as registry:
        yield from check_environment(registry, options.tracker)


def _check_trial(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.trial import check_tracker_runs
    from vot_integration.workspaces.manifest import MANIFEST

    # Frames lie where those of the built-in sequences do, whose path may be at fault.
    folder = options.folder
    is_writable = (folder / MANIFEST).is_file() and os.access(folder, os.W_OK)
    with _registry(options) as registry:
        yield from check_tracker_runs(registry, options.tracker, folder if is_writable else None)


@contextmanager
def _registry(options: DoctorOptions) -> Iterator[Path]:
    """The workspace's trackers.ini; where settings are asked for or it is absent, one like it."""
    from vot_integration.serving.run_log import state_folder
    from vot_integration.workspaces.records import catalog_name

    folder = options.folder
    if options.settings == TrackerSettings() and (folder / TRACKERS_FILE).is_file():
        yield folder / TRACKERS_FILE
        return
    with tempfile.TemporaryDirectory(prefix="arvot-") as name:
        chosen = {catalog_name(options.tracker): options.settings}
        # Logs are written where they outlast the doctor: a finding may name one.
        home = folder if (folder / TRACKERS_FILE).is_file() else state_folder()
        text = workspace_ini(home, chosen, options.own)
        (Path(name) / TRACKERS_FILE).write_text(text, encoding="utf-8")
        yield Path(name) / TRACKERS_FILE
