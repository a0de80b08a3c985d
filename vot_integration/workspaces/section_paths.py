"""Paths in a section of a trackers.ini, made absolute as their author meant them.

The toolkit expands neither `~` nor `$NAME` in them, takes quotes for a part of the name, and starts
a tracker in an empty folder, from where no relative path leads anywhere.
"""

import os
import re
import shlex
import shutil
from pathlib import Path

FOLDER_ENTRIES = ("paths", "linkpaths")
"""Entries with folders, separated as in PYTHONPATH."""

_QUOTED = re.compile(r"""\s*(["'])((?:(?!\1).)*)\1\s*""", re.DOTALL)
_WINDOWS = re.compile(r"""(^|[;"'\s])([A-Za-z]:[\\/]|\\\\)""")
_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})", re.ASCII)


def expand(text: str) -> str:
    """Text with `~` and variables of the environment replaced; those that are not set stay."""
    return os.path.expanduser(os.path.expandvars(text))  # noqa: PTH111


def unset_variable(text: str) -> str | None:
    """The first variable in a text that is not set, without `$`; None where all are."""
    names = (found[1].strip("{}") for found in _VARIABLE.finditer(text))
    return next((name for name in names if name not in os.environ), None)


def unquoted(text: str) -> str | None:
    """What stands between quotes around a whole text; None where there are none."""
    found = _QUOTED.fullmatch(text)
    return found and found[2]


def is_windows(text: str) -> bool:
    """Whether a text names a folder as Windows does."""
    return os.name != "nt" and _WINDOWS.search(text) is not None


def absolute_folders(value: str, base: Path) -> str:
    """An entry of folders, each of them absolute; what names none on this system stays.

    Args:
        value: the entry.
        base: folder of the file that it stands in.
    """
    inner = unquoted(value)
    if inner is not None and not (base / value).exists():
        value = inner
    if is_windows(value):
        return value
    if os.pathsep in value and (base / expand(value)).is_dir():
        # It cannot be named, which is said later.
        return str(base / expand(value))
    return os.pathsep.join(_absolute(folder, base) for folder in value.split(os.pathsep))


def absolute_command(value: str, base: Path) -> str:
    """A command line whose words that name a file, seen from a folder, are absolute paths.

    `~` and variables of the environment are replaced in all words: the toolkit asks no shell.

    Args:
        value: as a shell would take it.
        base: folder of the file that it stands in.
    """
    inner = unquoted(value)
    if _is_named(value, base):
        # A name with spaces may not be in quotes.
        return shlex.quote(str(base / expand(value)))
    if inner is not None and len(inner.split()) > 1 and _starts_program(inner, base):
        value = inner
    try:
        words = shlex.split(value)
    except ValueError:
        return value
    is_known = bool(words) and os.sep not in words[0] and shutil.which(words[0]) is not None
    named = [
        _is_named(word, base) and not (is_known and number == 0)
        for number, word in enumerate(words)
    ]
    if not any(named) and all(expand(word) == word for word in words):
        return value
    return shlex.join(
        str(base / expand(word)) if is_path else expand(word)
        for word, is_path in zip(words, named, strict=True)
    )


def _absolute(folder: str, base: Path) -> str:
    inner = unquoted(folder)
    if inner is not None and not (base / folder).exists():
        folder = inner
    if not (base / folder).exists():
        folder = folder.strip()
    expanded = expand(folder)
    if expanded.startswith("~") or unset_variable(expanded) is not None:
        return folder if not (base / folder).exists() else str(base / folder)
    return str(base / expanded)


def _starts_program(command: str, base: Path) -> bool:
    """Whether the first word of a command line is a program."""
    try:
        program = expand(shlex.split(command)[0])
    except (ValueError, IndexError):
        return False
    return shutil.which(program) is not None or (base / program).is_file()


def _is_named(word: str, base: Path) -> bool:
    """Whether a word is the path of a file, seen from a folder, and not plain for a shell."""
    is_plain = Path(word).is_absolute() and shlex.quote(word) == word
    return not is_plain and (base / expand(word)).is_file()
