"""Version 0.9 of the toolkit: it runs hardly a stack for single objects as it is.

What it cannot run is mended in `vot_integration.toolkit.v09_experiments`, whose classes stack files
name in place of the toolkit's own. Its analyses and result files are those of version 0.7.
"""

from collections.abc import Mapping
from typing import Any

from vot_integration.toolkit.experiments import experiment_type


class Version:
    """See `vot_integration.toolkit.interface.Toolkit`."""

    takes_late_objects = True

    def experiment(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The definition with the class that can run it."""
        return {**definition, "type": experiment_type(definition).mended}
