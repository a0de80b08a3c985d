"""Environments with another version of the toolkit, for tests."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest


def make_environment(folder: Path, version: str) -> Path:
    """Interpreter of an environment with a version of the toolkit, all else as here."""
    venv.create(folder, with_pip=False)
    interpreter = folder / "bin" / "python"
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = Path(subprocess.check_output([interpreter, "-c", code], text=True).strip())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", own]
    install = subprocess.run([*command, f"vot-toolkit=={version}"], capture_output=True, text=True)
    if install.returncode:
        pytest.skip(f"vot-toolkit {version} cannot be installed: {install.stderr[-200:]}")
    # Behind the environment's own packages, and with the editable installation of this one.
    here = sysconfig.get_path("purelib")
    (own / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    return interpreter


def installed_version(python: Path) -> str:
    """Which toolkit an interpreter has."""
    code = "from importlib.metadata import version; print(version('vot-toolkit'))"
    return subprocess.check_output([python, "-c", code], text=True).strip()
