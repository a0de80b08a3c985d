"""What in a section of a trackers.ini cannot work, said before the tracker is started."""

import ast
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from vot_integration.workspaces.launch import Launch
from vot_integration.workspaces.section_paths import (
    FOLDER_ENTRIES,
    is_windows,
    unquoted,
    unset_variable,
)

_MODULE = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_SCRIPTS = (".py", ".sh", ".pl", ".rb", ".jar", ".m")
_VALUES = "env_"


def start_problems(section: Launch) -> list[str]:
    """Why a tracker may not start, a line for each reason; empty where nothing can be seen."""
    return [*folder_problems(section), *filter(None, [command_problem(section)])]


def folder_problems(section: Launch) -> Iterator[str]:
    """What is wrong with folders that a section names, a line each."""
    for entry in FOLDER_ENTRIES:
        value = section.entries.get(entry, "")
        if "\n" in value:
            yield f"{entry} has several lines: write the folders in one, with {os.pathsep} between"
        elif os.pathsep in value and Path(value).is_dir():
            yield f"{entry} = {value}: {os.pathsep} separates folders, so link to this one"
        elif is_windows(value) and not (section.registry.parent / value).exists():
            yield f"{entry} = {value}: this is a folder of Windows; write one of this system"
        else:
            folders = (folder for folder in value.split(os.pathsep) if folder)
            yield from filter(None, (_folder(entry, name, section.registry) for name in folders))


def command_problem(section: Launch) -> str | None:
    """What is wrong with the command of a section; None where nothing can be seen."""
    command = section.entries.get("command", "")
    if section.is_python:
        return _python_problem(command) or _program_problem("python", section.python)
    if section.entries.get("protocol") != "trax":
        return None
    if is_windows(command.partition(" ")[0]):
        return f"command = {command}: this is a program of Windows; write one of this system"
    try:
        words = shlex.split(command)
    except ValueError:
        return f"command = {command}: a quote is opened and not closed"
    if len(words) == 1 and " " in words[0] and not Path(words[0]).exists():
        return (
            f"command: there is no program {words[0]!r}: leave out the quotes if that is a whole "
            "command line"
        )
    return _program_problem("command", words) or _script_problem(words[1:], section.registry.parent)


def value_problems(section: Launch) -> Iterator[str]:
    """What a tracker will not understand of the values that are passed on to it."""
    for key, value in section.entries.items():
        if key.startswith(_VALUES):
            name = section.spelled.get(key, key)
            if unquoted(value) is not None and Path(unquoted(value) or "").exists():
                yield f"{name} = {value}: the quotes are passed on with the value: leave them out"
            elif value.startswith("~/"):
                yield f"{name} = {value}: ~ is passed on as it is: write $HOME or the whole path"


def _folder(entry: str, name: str, registry: Path) -> str | None:
    folder = registry.parent / name
    if folder.is_dir():
        return None
    if folder.exists():
        return f"{entry} names {folder}, which is no folder"
    if name != name.strip("\"'"):
        return f"{entry} = {name}: quotes are taken for a part of the name: leave them out"
    if ";" in name:
        return f"{entry}: there is no folder {name}; {os.pathsep} separates folders here, not ;"
    if " #" in name:
        return f"{entry}: there is no folder {name}; a comment needs a line of its own"
    variable = unset_variable(name)
    if variable is not None:
        return f"{entry}: there is no folder {name}; the variable {variable} is not set"
    if name.startswith("~"):
        return f"{entry}: there is no folder {name}; ~ is not expanded here: write the whole path"
    return f"{entry}: there is no folder {folder}"


def _python_problem(command: str) -> str | None:
    """Why `traxpython` will not run a command, which is a module or statements."""
    shown = f"command = {command}"
    instead = "traxpython starts Python itself and takes a module, such as my_package.my_module"
    if unquoted(command) is not None:
        return f"{shown}: leave out the quotes; {instead}"
    if command.endswith(".py") and len(command.split()) == 1:
        return f"{shown}: this is a file; {instead}, without .py, and its folder in paths"
    if _MODULE.fullmatch(command):
        return None
    try:
        ast.parse(command)
    except (SyntaxError, ValueError):
        return f"{shown}: these are no Python statements; {instead} (protocol = trax any program)"
    return None


def _program_problem(entry: str, words: list[str]) -> str | None:
    if not words:
        return f"{entry} is empty"
    program = words[0]
    if os.sep in program and not Path(program).is_absolute():
        return (
            f"{entry} starts {program}, which the toolkit looks for in an empty folder: write an "
            "absolute path"
        )
    return None if shutil.which(program) else f"{entry}: there is no program {program}"


def _script_problem(words: list[str], base: Path) -> str | None:
    for word in words:
        is_file = word.endswith(_SCRIPTS) or (os.sep in word and (base / word).is_file())
        if is_file and not word.startswith("-") and not Path(word).is_file():
            return (
                f"command names {word}, and the tracker starts in an empty folder: write the "
                "absolute path of a file that is there"
            )
    return None
