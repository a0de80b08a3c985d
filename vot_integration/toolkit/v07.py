"""Version 0.7 of the toolkit: it runs its stacks as they are."""

from collections.abc import Mapping
from typing import Any


class Version:
    """See `vot_integration.toolkit.interface.Toolkit`."""

    takes_late_objects = False

    def experiment(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """The definition as it is: this version runs all of its experiments."""
        return dict(definition)
