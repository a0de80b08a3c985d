"""What a tracker's results are made with: decided before a run, written beside the results."""

import hashlib
import json
import os
import platform
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import alpharefine
from alpharefine.errors import UsageError
from vot_integration.files import write_text
from vot_integration.names import nearest
from vot_integration.workspaces.own_trackers import Section
from vot_integration.workspaces.trackers_ini import TrackerSettings, registrations

OWN = "own tracker"
"""Stands for the weights of a tracker that is not from the catalog."""

ITS_OWN = "its own"
"""Stands for the device and the precision of such a tracker, which it chooses itself."""


_PACKAGES = ("vot-toolkit", "vot-trax", "torch", "torchvision", "numpy", "opencv-python")

_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class TrackerRecord:
    """What a tracker's results in a workspace were made with.

    Attributes:
        weights: name of the weights.
        sha256: their hash; of a tracker of the user's own, the hash of its section of trackers.ini.
        device: torch device, resolved.
        precision: precision as asked for.
        settings: what trackers.ini tells the server.
        random: whether the weights are random, not trained.
        arvot: version of this package.
        overrides: settings that a file has replaced, and how they were tuned; empty without.
        foreign: whether results were there before the first evaluation by arvot, made with what is
            not known.
        environment: versions and machine of the last evaluation. Records that differ in these two
            alone are equal.
    """

    weights: str
    sha256: str
    device: str
    precision: str
    settings: TrackerSettings
    random: bool = False
    arvot: str = alpharefine.__version__
    overrides: Mapping[str, Any] = field(default_factory=dict)
    foreign: bool = field(default=False, compare=False)
    environment: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        weights = f"weights {self.weights} ({self.sha256[:12]})"
        config = f", settings {self.overrides['values']}" if self.overrides else ""
        return f"{weights}, {self.device}, {self.precision}{config}, arvot {self.arvot}"


def tuned_notes(overrides: Mapping[str, Any], sequences: Iterable[str]) -> list[str]:
    """What must be said of scores on sequences that settings were tuned on; mostly nothing.

    Args:
        overrides: of a record.
        sequences: that are scored.
    """
    tuned = set(overrides.get("tuned", {}).get("sequences", ()))
    seen = sorted(tuned & set(sequences))
    if not seen:
        return []
    return [
        f"tuned on these: its settings were chosen by {len(seen)} of the sequences that it is "
        f"scored on, such as {seen[0]}; the numbers say little of others"
    ]


def catalog_name(name: str) -> str:
    """Name in the catalog of a registered tracker; a tracker of the user's own keeps its name."""
    registration = registrations().get(name)
    return name if registration is None else registration.tracker


def check_tracker(name: str, own: Mapping[str, Section]) -> None:
    """Check that a tracker is registered.

    Args:
        name: as in trackers.ini.
        own: trackers of the user's own.

    Raises:
        UsageError: it is not.
    """
    known = [*registrations(), *own]
    if name not in known:
        near = nearest(name, known)
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise UsageError(
            f"unknown tracker {name!r}{meant}; choose from {', '.join(known)}, or register your "
            "own in the workspace DIR: `arvot init DIR --trackers FILE.ini`"
        )


def make_record(name: str, settings: TrackerSettings, own: Mapping[str, Section]) -> TrackerRecord:
    """How a tracker is to run: its weights are found and fit, its device is there.

    Args:
        name: as in trackers.ini, where it is; see `check_tracker`.
        settings: as the user gave them; None is the default.
        own: trackers of the user's own, by name.

    Raises:
        UsageError: a setting is wrong.
    """
    if name in own:
        return _own_record(name, settings, own[name])
    # Everything that brings in torch is imported here, after the quick checks.
    from alpharefine.build import build_tracker, tracker_weights
    from alpharefine.catalogue import find_tracker
    from alpharefine.overrides import apply_overrides, read_overrides
    from alpharefine.runtime import resolve_runtime

    device, precision = settings.device or "auto", settings.precision or "auto"
    tracker = catalog_name(name)
    runtime = resolve_runtime(device, precision)
    weights = _absolute_weights(settings.weights)
    overrides = None if settings.config is None else read_overrides(Path(settings.config))
    spec = find_tracker(tracker)
    if overrides is not None:
        spec = apply_overrides(spec, overrides)
    found = tracker_weights(spec, weights)
    if weights is not None or overrides is not None:
        # Weights and settings that do not fit are refused now, not by the server.
        build_tracker(spec, device="cpu", weights=weights)
    config = None if settings.config is None else str(Path(settings.config).absolute())
    kept = TrackerSettings(weights, device, precision, config)
    return TrackerRecord(
        found.name,
        found.sha256,
        str(runtime.device),
        precision,
        kept,
        found.random,
        overrides={} if overrides is None else overrides.to_json(),
        environment=describe_environment(),
    )


def place_overrides(
    folder: Path, settings: TrackerSettings, record: TrackerRecord
) -> TrackerSettings:
    """Settings that name a file of a record's overrides, which is written into a folder."""
    if not record.overrides:
        return settings
    from alpharefine.overrides import Overrides

    file = folder / "config.toml"
    write_text(file, Overrides(**record.overrides).to_toml())
    return replace(settings, config=str(file))


def repeat_record(name: str, settings: TrackerSettings, record: TrackerRecord) -> TrackerRecord:
    """How this machine runs a tracker of the catalog that another one has recorded.

    Raises:
        UsageError: its weights are others here.
    """
    found = make_record(name, settings, {})
    if found.sha256 != record.sha256:
        raise UsageError(
            f"{socket.gethostname()} has other weights of {name} ({found.sha256[:12]}, not "
            f"{record.sha256[:12]}): install the same version of arvot there, or let the weights "
            "be sent with --ray-send"
        )
    return found


def check_own_settings(name: str, settings: TrackerSettings) -> None:
    """Check that nothing is asked of a tracker of the user's own that only its section can say.

    Raises:
        UsageError: a setting is given.
    """
    for option in ("weights", "device", "precision", "config"):
        if getattr(settings, option) not in (None, "auto"):
            raise UsageError(
                f"--{option} is for the trackers of arvot; {name} is one of your own: set what it "
                "needs in its section of trackers.ini (command, env_NAME)"
            )


def _own_record(name: str, settings: TrackerSettings, section: Section) -> TrackerRecord:
    check_own_settings(name, settings)
    digest = hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()
    environment = describe_environment()
    return TrackerRecord(OWN, digest, ITS_OWN, ITS_OWN, TrackerSettings(), environment=environment)


def _absolute_weights(value: str | None) -> str | None:
    """The same weights for a server, which runs in a folder of its own."""
    from alpharefine.nets.registry import WEIGHTS

    if value is None:
        return None
    items = [value] if Path(value).exists() else value.split(",")
    are_paths = [item not in WEIGHTS and Path(item).exists() for item in items]
    return ",".join(
        str(Path(item).absolute()) if is_path else item
        for item, is_path in zip(items, are_paths, strict=True)
    )


def describe_environment() -> dict[str, str]:
    """Versions of this package, Python and what it computes with, and the processors."""
    facts = {"arvot": alpharefine.__version__, "Python": platform.python_version()}
    facts.update({name: _version(name) for name in _PACKAGES})
    facts["system"] = f"{platform.system()} {platform.machine()}"
    facts["processor"] = f"{_processor()}, {os.cpu_count()} cores"
    gpus = _gpus()
    if gpus:
        facts["GPUs"] = gpus
    return facts


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    if _CPU_INFO.is_file():
        for line in _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _gpus() -> str:
    import torch

    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    return ", ".join(names)
