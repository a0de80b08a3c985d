"""Installed packages: known bad versions, and what this package requires."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from vot_integration.doctor.findings import Finding, Severity

PACKAGE = "arvot"
EXTRA = "vot"
"""The extra that the commands need."""

_SHOWN = ("vot-toolkit", "vot-trax", "attributee", "torch", "torchvision", "numpy", "opencv-python")


@dataclass(frozen=True)
class BadVersion:
    """Versions of a package that are known not to work.

    Attributes:
        package: its name.
        versions: which ones.
        effect: what happens with them.
        install: what to give to pip instead.
    """

    package: str
    versions: SpecifierSet
    effect: str
    install: str


BAD_VERSIONS = (
    BadVersion(
        "vot-toolkit",
        SpecifierSet(">=0.8.dev0,<0.9"),
        "baseline and realtime of the short-term stacks stop with 'ObjectQuery.state must be a "
        "Region'; arvot mends 0.9 alone",
        "vot-toolkit>=0.7.3,!=0.8.*,<0.10",
    ),
    BadVersion(
        "attributee",
        SpecifierSet(">=0.1.10"),
        "the toolkit cannot be imported: 'dataclass_transform() takes 0 positional arguments'",
        "attributee<0.1.10",
    ),
    BadVersion(
        "vot-trax",
        SpecifierSet("<4"),
        "version 3 sends one region where the toolkit and this server expect a list of objects",
        "vot-trax>=4,<5",
    ),
)
"""Measured, not guessed: see docs/doctor.md."""


_MENDED = (
    "this toolkit runs no short-term stack itself: stack files that arvot writes name classes of "
    "its own, and arg_... of trackers.ini reaches no tracker (docs/toolkit-versions.md)"
)
"""What to know about version 0.9 of the toolkit."""


def installed_versions() -> dict[str, str]:
    """Version of every installed package, by its normalized name."""
    return {
        _normalize(distribution.name): distribution.version
        for distribution in metadata.distributions()
        if distribution.name
    }


def check_versions(installed: Mapping[str, str], requirements: list[str]) -> Iterator[Finding]:
    """Compare versions with the known bad ones and with requirements.

    Args:
        installed: version by normalized name.
        requirements: as in a package's metadata; those of other extras are left out.
    """
    problems = list(_problems(installed, requirements))
    yield from problems
    if not problems:
        shown = (f"{name} {installed[name]}" for name in _SHOWN if name in installed)
        text = ", ".join(shown)
        if installed.get("vot-toolkit", "").startswith("0.9."):
            text += f"\n{_MENDED}"
        yield Finding(Severity.GOOD, "packages", text)


def own_requirements() -> list[str]:
    """What the installed package requires; empty where it runs without being installed."""
    try:
        return metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return []


def _problems(installed: Mapping[str, str], requirements: list[str]) -> Iterator[Finding]:
    told = set()
    for bad in BAD_VERSIONS:
        version = installed.get(bad.package)
        if version is not None and bad.versions.contains(version, prereleases=True):
            told.add(bad.package)
            text = f"{bad.package} {version} is known not to work: {bad.effect}"
            yield Finding(Severity.ERROR, "packages", text, _pip(bad.install))
    for requirement in map(Requirement, requirements):
        name = _normalize(requirement.name)
        if name in told or (
            requirement.marker and not requirement.marker.evaluate({"extra": EXTRA})
        ):
            continue
        version = installed.get(name)
        if version is None:
            text = f"{requirement.name} is not installed"
        elif not requirement.specifier.contains(version, prereleases=True):
            text = f"{requirement.name} {version} is installed, {requirement.specifier} is required"
        else:
            continue
        yield Finding(
            Severity.ERROR, "packages", text, _pip(f"{requirement.name}{requirement.specifier}")
        )


def _pip(requirement: str) -> str:
    return f"pip install '{requirement}'"


def _normalize(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
