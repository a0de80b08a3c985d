"""The process that the toolkit will start for a tracker: interpreter, module path, packages."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import alpharefine
from vot_integration.doctor.findings import Finding, Severity
from vot_integration.trackers_ini import ini_parser

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

_TIMEOUT_SECONDS = 60


def check_environment(registry: Path, tracker: str) -> Iterator[Finding]:
    """Start the interpreter of a tracker's section as the toolkit does, and ask it what it sees.

    Args:
        registry: a trackers.ini.
        tracker: name of a section in it.
    """
    section = _section(registry, tracker)
    if section.get("protocol") != "traxpython":
        yield Finding(
            Severity.GOOD, "interpreter", f"{tracker} is started by: {section.get('command')}"
        )
        return
    command = shlex.split(section.get("python", "python"))
    paths = section.get("paths", "")
    try:
        done = subprocess.run(
            [*command, "-c", _PROBE],
            env={**os.environ, "PYTHONPATH": paths},
            cwd=registry.parent,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield _broken(f"{shlex.join(command)} does not start: {error}", registry)
        return
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        yield _broken(f"{shlex.join(command)} cannot import the server: {reason}", registry)
        return
    yield from _compare(json.loads(done.stdout), paths, registry)


def _section(registry: Path, tracker: str) -> Mapping[str, str]:
    parser = ini_parser()
    parser.read(registry, encoding="utf-8")
    return {key: value.replace("%%", "%") for key, value in parser[tracker].items()}


def _compare(seen: Mapping[str, str], paths: str, registry: Path) -> Iterator[Finding]:
    text = (
        f"Python {seen['python']}, {seen['executable']}\n"
        f"PYTHONPATH={paths or '(empty)'}, arvot {seen['version']} in {seen['package']}, "
        f"vot-trax {seen['trax']}"
    )
    if seen["version"] != alpharefine.__version__:
        yield _broken(f"{text}\nthis command is arvot {alpharefine.__version__}", registry)
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


def _broken(text: str, registry: Path) -> Finding:
    remedy = f"make {registry} anew with this interpreter: `arvot init` on the workspace"
    return Finding(Severity.ERROR, "interpreter", text, remedy)
