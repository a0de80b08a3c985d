"""Trackers of the user's own: sections of a trackers.ini that are not from the catalog."""

import configparser
import re
from collections.abc import Mapping
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.files import absolute
from vot_integration.toolkit.files import check_plain
from vot_integration.workspaces.launch import launch_of
from vot_integration.workspaces.section_paths import (
    FOLDER_ENTRIES,
    absolute_command,
    absolute_folders,
)
from vot_integration.workspaces.section_problems import start_problems, value_problems
from vot_integration.workspaces.trackers_ini import (
    escape,
    ini_parser,
    interpreter,
    log_folder,
    plain_ini,
    registrations,
    unescape,
)

Section = Mapping[str, str]
"""Entries of one section, as they stand in the file."""

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
"""What the toolkit takes for a tracker's name."""

_REFERENCE = re.compile(rf"({_NAME.pattern})(@[a-zA-Z0-9_-]*)?")
"""The same with a version, as folders of results may be called."""

_PROTOCOLS = ("traxpython", "trax", "traxmatlab", "traxoctave")
"""What the toolkit can start."""

_NOT_COMPARED = frozenset({"label", "tags", "python", "paths", "env_arvot_log_dir"})
"""Entries in which copies of one section may differ: they say where, not what."""

_QUOTES = "\"'"

_WEIGHTS = "env_arvot_weights"
_DEFAULTS = frozenset({("env_arvot_device", "auto"), ("env_arvot_precision", "auto")})
"""Entries that change nothing."""


def read_own_trackers(file: Path) -> dict[str, Section]:
    """The sections of a trackers.ini that are not from the catalog, by name.

    Args:
        file: need not be there.

    Raises:
        UsageError: the file cannot be read, or one of them would break the toolkit's registry.
    """
    known = registrations()
    own = {name: section for name, section in _read(file).items() if name not in known}
    for name, section in own.items():
        _check(file, name, section)
    return own


def referred_name(results: str) -> str | None:
    """The tracker's name that a folder of results stands for; None where the toolkit takes none."""
    found = _REFERENCE.fullmatch(results)
    return found and found[1]


def adopt_trackers(file: Path, workspace: Path | None = None) -> dict[str, Section]:
    """Sections of a user's trackers.ini in the form that works elsewhere, as in a workspace.

    The interpreter is this one unless a section names its own, paths become absolute, with `~`
    and `$NAME` replaced and without quotes around them, and logs of `vot_integration.server.serve`
    go into the workspace, if there is one.

    Args:
        file: the user's file.
        workspace: absolute path of the workspace.

    Raises:
        UsageError: no such file, nothing in it, a tracker with the name of another one of the
            catalog, or as `read_own_trackers`.
    """
    if not file.is_file():
        raise UsageError(
            f"there is no file {file}: --trackers takes .ini files with trackers of your own; "
            "those of arvot are registered anyway"
        )
    sections, own = _read(file), read_own_trackers(file)
    if not sections:
        raise UsageError(f"{file} registers no tracker: add a section [NAME]")
    catalog = _parse(plain_ini(), "trackers.ini")
    for name in sections.keys() - own.keys():
        _check_same(file, name, sections[name], catalog[name])
    return {name: _adopt(absolute(file), section, workspace) for name, section in own.items()}


def adoption_notes(file: Path, adopted: Mapping[str, Section]) -> list[str]:
    """What was left out of the sections of a user's trackers.ini, and what in them cannot work.

    Args:
        file: the user's file.
        adopted: as `adopt_trackers` gives them.
    """
    notes = []
    for name, section in adopted.items():
        given = read_own_trackers(file)[name]
        launch = launch_of(file, name, section)
        changed = (
            key for key in given if any(q in given[key] and q not in section[key] for q in _QUOTES)
        )
        problems = [f"the quotes in {key} are left out" for key in changed]
        problems += [*start_problems(launch), *value_problems(launch)]
        notes += [f"{file}, section {name}: {problem}" for problem in problems]
    return notes


def _read(file: Path) -> dict[str, Section]:
    check_plain(file)
    try:
        return _parse(file.read_text(encoding="utf-8"), file.name)
    except FileNotFoundError:
        return {}
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        message = " ".join(str(error).split())
        raise UsageError(
            f"{file} cannot be read as a list of trackers: {message}: correct it"
        ) from error


def _parse(text: str, source: str) -> dict[str, Section]:
    parser, as_the_toolkit = ini_parser(), configparser.ConfigParser()
    parser.read_string(text, source)
    as_the_toolkit.read_string(text, source)
    # Percent signs are replaced when a value is asked for.
    for name in as_the_toolkit.sections():
        dict(as_the_toolkit[name])
    return {name: dict(parser[name]) for name in parser.sections()}


def _check_same(file: Path, name: str, section: Section, catalog: Section) -> None:
    """Check that a section named like one of the catalog, which is not taken, says the same."""
    given, ours = (
        {key.lower(): value for key, value in entries.items() if key.lower() not in _NOT_COMPARED}
        for entries in (section, catalog)
    )
    differing = sorted(
        key
        for key in given.keys() | ours.keys()
        if given.get(key) != ours.get(key) and (key, given.get(key)) not in _DEFAULTS
    )
    if differing:
        spelled = {key.lower(): key for entries in (catalog, section) for key in entries}
        names = ", ".join(spelled[key] for key in differing)
        hint = "; weights, device and precision of arvot's trackers are options of its commands"
        is_setting = any(key in dict(_DEFAULTS) or key == _WEIGHTS for key in differing)
        raise UsageError(
            f"{file}, section {name}: a tracker of arvot has this name and differs in "
            f"{names}: give yours another name{hint if is_setting else ''}"
        )


def _check(file: Path, name: str, section: Section) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{file}: a tracker's name has only a-z, A-Z, 0-9, _ and -, not {name!r}")
    keys = {key.lower() for key in section}
    missing = [key for key in ("protocol", "command") if key not in keys]
    if missing:
        raise UsageError(
            f"{file}, section {name}: {' and '.join(missing)} is missing; write for instance "
            "protocol = traxpython and command = my_package.my_module"
        )
    for key, value in section.items():
        if key.lower() == "timeout" and not value.isdecimal():
            raise UsageError(f"{file}, section {name}: timeout = {value}: give whole seconds")
    [protocol] = (value for key, value in section.items() if key.lower() == "protocol")
    if protocol not in _PROTOCOLS:
        raise UsageError(
            f"{file}, section {name}: the toolkit has no protocol {protocol!r}; write traxpython "
            "(a Python module), trax (any program), traxmatlab or traxoctave"
        )


def _adopt(file: Path, section: Section, workspace: Path | None) -> dict[str, str]:
    entries = {key.lower(): value for key, value in section.items()}
    is_program = entries["protocol"] == "trax"
    adopted = {}
    for key, value in section.items():
        if key.lower() in FOLDER_ENTRIES:
            value = escape(absolute_folders(unescape(value), file.parent))
        elif key.lower() == "python" or (key.lower() == "command" and is_program):
            value = escape(absolute_command(unescape(value), file.parent))
        adopted[key] = value
    if entries["protocol"] == "traxpython" and "python" not in entries:
        # Paths of this package are not added: `paths` is the whole module path of the tracker.
        adopted["python"] = escape(interpreter())
    if workspace is not None and "env_arvot_log_dir" not in entries:
        adopted["env_ARVOT_LOG_DIR"] = escape(str(log_folder(workspace)))
    return adopted
