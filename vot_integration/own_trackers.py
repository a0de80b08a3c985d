"""Trackers of the user's own: sections of a trackers.ini that are not from the catalogue."""

import configparser
import os
import re
from collections.abc import Mapping
from pathlib import Path

from alpharefine.errors import UsageError
from vot_integration.files import absolute
from vot_integration.trackers_ini import (
    escape,
    ini_parser,
    interpreter,
    log_folder,
    registrations,
)

Section = Mapping[str, str]
"""Entries of one section, as they stand in the file."""

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
"""What the toolkit takes for a tracker's name."""


def read_own_trackers(file: Path) -> dict[str, Section]:
    """The sections of a trackers.ini that are not from the catalogue, by name.

    Args:
        file: need not be there.

    Raises:
        UsageError: the file cannot be read, or one of them would break the toolkit's registry.
    """
    parser, as_the_toolkit = ini_parser(), configparser.ConfigParser()
    try:
        parser.read(file, encoding="utf-8")
        as_the_toolkit.read(file, encoding="utf-8")
        # Percent signs are replaced when a value is asked for.
        for name in as_the_toolkit.sections():
            dict(as_the_toolkit[name])
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        message = " ".join(str(error).split())
        raise UsageError(f"{file} cannot be read as a list of trackers: {message}") from error
    known = registrations()
    own: dict[str, Section] = {
        name: dict(parser[name]) for name in parser.sections() if name not in known
    }
    for name, section in own.items():
        _check(file, name, section)
    return own


def adopt_trackers(file: Path, workspace: Path | None = None) -> dict[str, Section]:
    """Sections of a user's trackers.ini in the form that works elsewhere, as in a workspace.

    The interpreter is this one unless a section names its own, `paths` become absolute, and logs of
    `vot_integration.server.serve` go into the workspace, if there is one.

    Args:
        file: the user's file.
        workspace: absolute path of the workspace.

    Raises:
        UsageError: no such file, nothing in it, a name that is taken, or as `read_own_trackers`.
    """
    if not file.is_file():
        raise UsageError(
            f"there is no file {file}: --trackers takes .ini files with trackers of your own; "
            "those of arvot are registered anyway"
        )
    own = read_own_trackers(file)
    if not own:
        raise UsageError(f"{file} registers no tracker of your own: add a section [NAME]")
    return {name: _adopt(absolute(file), section, workspace) for name, section in own.items()}


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


def _adopt(file: Path, section: Section, workspace: Path | None) -> dict[str, str]:
    adopted = dict(section)
    if section.get("protocol") == "traxpython":
        # Paths of this package are not added: `paths` is the whole module path of the tracker.
        adopted.setdefault("python", escape(interpreter()))
    if "paths" in section:
        folders = section["paths"].split(os.pathsep)
        parent = Path(escape(str(file.parent)))
        adopted["paths"] = os.pathsep.join(str(parent / folder) for folder in folders)
    if workspace is not None:
        adopted.setdefault("env_ARVOT_LOG_DIR", escape(str(log_folder(workspace))))
    return adopted
