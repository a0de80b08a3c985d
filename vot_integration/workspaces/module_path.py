"""Where the processes that are started find this package."""

import sysconfig
from pathlib import Path

import vot_integration


def package_path() -> Path | None:
    """Folder to add to the module path of child processes; None when this is an installed package.

    A folder of installed packages must not be added: at the front of the path it would hide
    modules of the standard library.
    """
    root = Path(vot_integration.__path__[0]).resolve().parent
    installed = {Path(sysconfig.get_path(key)).resolve() for key in ("purelib", "platlib")}
    return None if root in installed else root
