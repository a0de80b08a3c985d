"""Which checks `arvot doctor` makes, in their order."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import alpharefine
from vot_integration.doctor.findings import Check, Finding, Severity
from vot_integration.doctor.versions import check_versions, installed_versions, own_requirements
from vot_integration.files import absolute


@dataclass(frozen=True)
class DoctorOptions:
    """Options of `arvot doctor`, as the user gave them.

    Attributes:
        tracker: registered name.
        workspace: folder; need not be there.
        weights: as `arvot run` takes them; None for those of earlier results or the tracker's own.
        device: likewise.
        precision: likewise.
    """

    tracker: str
    workspace: Path
    weights: str | None = None
    device: str | None = None
    precision: str | None = None


def list_checks(options: DoctorOptions) -> list[tuple[str, Check]]:
    """The checks, with the name of what they look at; nothing heavy is imported before they run."""
    return [
        ("arvot", _check_self),
        ("packages", lambda: check_versions(installed_versions(), own_requirements())),
        ("device", lambda: _check_device(options)),
        ("weights", lambda: _check_weights(options)),
        ("workspace", lambda: _check_workspace(options)),
        ("interpreter", lambda: _check_environment(options)),
        ("trial", lambda: _check_trial(options)),
    ]


def _check_self() -> Iterator[Finding]:
    python = sys.version.split()[0]
    text = f"arvot {alpharefine.__version__}, Python {python}, {sys.executable}"
    yield Finding(Severity.GOOD, "arvot", text)


def _check_device(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.compute import check_device

    yield from check_device(options.device or "auto", options.precision or "auto")


def _check_weights(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.compute import check_weights
    from vot_integration.records import make_record
    from vot_integration.trackers_ini import TrackerSettings
    from vot_integration.workspace import own_trackers

    settings = TrackerSettings(options.weights, options.device, options.precision)
    record = make_record(options.tracker, settings, own_trackers(_folder(options)))
    yield from check_weights(options.tracker, record)


def _check_workspace(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.state import check_workspace

    yield from check_workspace(_folder(options))


def _check_environment(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.environment import check_environment

    with _registry(options) as registry:
        yield from check_environment(registry, options.tracker)


def _check_trial(options: DoctorOptions) -> Iterator[Finding]:
    from vot_integration.doctor.trial import check_tracker_runs

    with _registry(options) as registry:
        yield from check_tracker_runs(registry, options.tracker)


@contextmanager
def _registry(options: DoctorOptions) -> Iterator[Path]:
    """The workspace's trackers.ini; where settings are asked for or it is absent, one like it."""
    from vot_integration.records import catalogue_name
    from vot_integration.trackers_ini import TrackerSettings, workspace_ini
    from vot_integration.workspace import TRACKERS_FILE, own_trackers

    folder = _folder(options)
    settings = TrackerSettings(options.weights, options.device, options.precision)
    if settings == TrackerSettings() and (folder / TRACKERS_FILE).is_file():
        yield folder / TRACKERS_FILE
        return
    with tempfile.TemporaryDirectory(prefix="arvot-") as name:
        chosen = {catalogue_name(options.tracker): settings}
        text = workspace_ini(Path(name), chosen, own_trackers(folder))
        (Path(name) / TRACKERS_FILE).write_text(text, encoding="utf-8")
        yield Path(name) / TRACKERS_FILE


def _folder(options: DoctorOptions) -> Path:
    return absolute(options.workspace)
