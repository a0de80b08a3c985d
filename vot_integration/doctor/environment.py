"""The process that the toolkit will start for a tracker: interpreter, module path, packages."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import alpharefine
from vot_integration.doctor.findings import Finding, Severity
from vot_integration.workspaces.launch import Launch, read_launch
from vot_integration.workspaces.section_problems import (
    command_problem,
    folder_problems,
    value_problems,
)
from vot_integration.workspaces.trackers_ini import registrations

_PROBE = """
import importlib.metadata, json, sys
import alpharefine, vot_integration, trax
print(json.dumps({
    "executable": sys.executable,
    "python": sys.version.split()[0],
    "version": alpharefine.__version__,
    "package": vot_integration.__path__[0],
    "trax": importlib.metadata.version("vot-trax"),
}))
"""

_FIND_MODULE = """
import importlib.util, sys
# The toolkit starts it in an empty folder.
sys.path = [folder for folder in sys.path if folder]
try:
    found = importlib.util.find_spec({module!r})
except ModuleNotFoundError:
    found = None
sys.exit({missing} if found is None else 0)
"""

_MISSING_STATUS = 3

_TIMEOUT_SECONDS = 60


def check_environment(registry: Path, tracker: str) -> Iterator[Finding]:
    """Start the interpreter of a tracker's section as the toolkit does, and ask it what it sees.

    Args:
        registry: a trackers.ini.
        tracker: name of a section in it.
    """
    section = read_launch(registry, tracker)
    is_own = tracker not in registrations()
    if is_own:
        problems = list(_problems(section))
        yield from problems
        if any(problem.severity is Severity.ERROR for problem in problems):
            return
    if not section.is_python:
        text = f"{tracker} is started by: {section.by_hand}"
        yield Finding(Severity.GOOD, "interpreter", text)
        return
    command = shlex.join(section.python)
    try:
        done = _ask(section, _PROBE)
    except (OSError, subprocess.TimeoutExpired) as error:
        yield _broken(f"{command} does not start: {error}", section, is_own)
        return
    if done.returncode == 0:
        yield from _compare(json.loads(done.stdout), section, is_own)
        return
    reason = done.stderr.strip().rpartition("\n")[2]
    if is_own:
        # It may well do without arvot; whether it starts is for the trial to say.
        text = f"{command}, which does not see arvot ({reason})"
        yield Finding(Severity.GOOD, "interpreter", text)
        return
    yield _broken(f"{command} cannot import the server: {reason}", section, is_own)


def _problems(section: Launch) -> Iterator[Finding]:
    """What in a section of the user's own is wrong; what it cannot start without are errors."""
    remedy = f"correct section {section.tracker} of {section.registry}"
    folders = list(folder_problems(section))
    fatal = command_problem(section)
    if fatal is None and section.is_python:
        fatal = _missing_module(section)
        if fatal is not None and folders:
            fatal = "\n".join([f"{fatal}:", *folders])
            folders = []
    for problem in [*folders, *value_problems(section)]:
        yield Finding(Severity.WARNING, "trackers.ini", problem, remedy)
    if fatal is not None:
        yield Finding(Severity.ERROR, "trackers.ini", fatal, remedy)


def _missing_module(section: Launch) -> str | None:
    """The module that a section starts, if its interpreter does not find it."""
    module = section.entries.get("command", "")
    if not all(part.isidentifier() for part in module.split(".")):
        return None
    try:
        done = _ask(section, _FIND_MODULE.format(module=module, missing=_MISSING_STATUS))
    except (OSError, subprocess.TimeoutExpired):
        # Said when it is asked what it sees.
        return None
    if done.returncode != _MISSING_STATUS:
        return None
    folders = section.entries.get("paths")
    return f"there is no module {module} in {folders or 'paths, which names no folder'}"


def _ask(section: Launch, code: str) -> subprocess.CompletedProcess[str]:
    """Run statements as the toolkit starts the tracker."""
    return subprocess.run(
        [*section.python, "-c", code],
        env={**os.environ, "PYTHONPATH": section.paths},
        cwd=section.registry.parent,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
    )


def _compare(seen: Mapping[str, str], section: Launch, is_own: bool) -> Iterator[Finding]:
    text = (
        f"Python {seen['python']}, {seen['executable']}\n"
        f"PYTHONPATH={section.paths or '(empty)'}, arvot {seen['version']} in {seen['package']}, "
        f"vot-trax {seen['trax']}"
    )
    if seen["version"] != alpharefine.__version__:
        text = f"{text}\nthis command is arvot {alpharefine.__version__}"
        yield _broken(text, section, is_own)
        return
    yield Finding(Severity.GOOD, "interpreter", text)
    if os.environ.get("PYTHONPATH"):
        yield Finding(
            Severity.WARNING,
            "interpreter",
            f"PYTHONPATH is set to {os.environ['PYTHONPATH']} here; the toolkit replaces it by the "
            "entry `paths` of trackers.ini",
            "add what a tracker of yours needs to `paths` in its section",
        )


def _broken(text: str, section: Launch, is_own: bool) -> Finding:
    remedy = "`arvot init` on the workspace writes trackers.ini with this interpreter"
    if is_own:
        remedy = f"correct `python` and `paths` in section {section.tracker} of {section.registry}"
    return Finding(Severity.ERROR, "interpreter", text, remedy)
