"""What this package needs of the VOT toolkit, and which of its versions is installed.

What is the same in all versions lies beside this module: experiments, stacks, result files, scores,
regions, the runtime of a tracker, the command line. What differs is behind `Toolkit`, with a class
a version. To add a version: a module with such a class, its entry in `VERSIONS`, and the
requirement in setup.cfg.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any, Protocol

from alpharefine.errors import UsageError

PACKAGE = "vot-toolkit"

REQUIREMENT = "vot-toolkit>=0.7.3,!=0.8.*,<0.10"
"""What to give to pip; setup.cfg requires the same."""

VERSIONS: Mapping[str, str] = {
    "0.7": "vot_integration.toolkit.v07",
    "0.9": "vot_integration.toolkit.v09",
}
"""The module of each version, by the beginning of its number; its class is called `Version`."""


class Toolkit(Protocol):
    """A version of the toolkit.

    Attributes:
        takes_late_objects: whether it tells trackers of objects that appear after the first frame;
            if not, it scores them as zeros.
    """

    takes_late_objects: bool

    def experiment(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """An experiment as it has to stand in stack files for this version.

        Args:
            definition: as in the toolkit's own stack files.
        """


def toolkit_version() -> str:
    """Number of the version that is installed.

    Raises:
        UsageError: none is.
    """
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            f"the VOT toolkit is not installed; run pip install '{REQUIREMENT}'"
        ) from error


@cache
def toolkit() -> Toolkit:
    """The version that is installed.

    Raises:
        UsageError: none is, or one that this package does not know.
    """
    number = toolkit_version()
    module = VERSIONS.get(".".join(number.split(".")[:2]))
    if module is None:
        raise UsageError(
            f"{PACKAGE} {number} is not one that arvot works with; run pip install '{REQUIREMENT}'"
        )
    version: Toolkit = importlib.import_module(module).Version()
    return version
