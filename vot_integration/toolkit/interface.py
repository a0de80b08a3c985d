"""What this package needs of the VOT toolkit, and which of its versions is installed.

What is the same in all versions lies beside this module: experiments, stacks, result files, scores,
regions. What differs is behind `Toolkit`, with a class a version. To add a version: a module with
such a class, its entry in `VERSIONS`, and the requirement in setup.cfg.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from alpharefine.errors import UsageError

if TYPE_CHECKING:
    from vot_integration.regions.shapes import Shape

PACKAGE = "vot-toolkit"

REQUIREMENT = "vot-toolkit>=0.7.3,<0.8"
"""What to give to pip; setup.cfg requires the same."""

VERSIONS: Mapping[str, str] = {"0.7": "vot_integration.toolkit.v07"}
"""The module of each version, by the beginning of its number; its class is called `Version`."""


class RuntimeAnswer(NamedTuple):
    """What a tracker has answered: a shape, None for absent, and its confidence, if any."""

    shape: "Shape | None"
    confidence: float | None


class TrackerProcess(Protocol):
    """A tracker that the toolkit's own runtime starts and asks; frames are image files."""

    def initialize(self, frame: Path, target: "Shape") -> None:
        """Start the process, and in it the tracker on a target.

        Raises:
            EvaluationError: the tracker failed.
        """

    def update(self, frame: Path) -> RuntimeAnswer:
        """Ask for the target in the next frame.

        Raises:
            EvaluationError: the tracker failed, or did not answer one object.
        """

    def stop(self) -> None:
        """End the process."""


class Toolkit(Protocol):
    """A version of the toolkit."""

    def experiment(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """An experiment as it has to stand in stack files for this version.

        Args:
            definition: as in the toolkit's own stack files.
        """

    def start_tracker(self, registry: Path, name: str) -> TrackerProcess:
        """A tracker of a trackers.ini, whose process is started with its first frame.

        Args:
            registry: the trackers.ini.
            name: of its section.
        """

    def run_commands(self) -> None:
        """Be the command `vot`, on the arguments of this process, with what has to be mended."""


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
