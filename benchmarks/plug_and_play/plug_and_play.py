"""Two base trackers that Alpha-Refine was not trained with, alone and refined.

Started by the toolkit, see trackers.ini beside this file; `ARVOT_BASE` is "MIL" or "static",
`ARVOT_REFINE` is "1" for the refined one.
"""

import os
from collections.abc import Callable

import cv2

from alpharefine.types import Box, Estimate, Image, Tracker
from vot_integration.server import serve


class MilTracker:
    """OpenCV's MIL: position only, the size never changes."""

    def initialize(self, image: Image, target: Box) -> None:
        """Start on the target."""
        self._tracker = cv2.TrackerMIL.create()
        self._box = target
        self._tracker.init(image, [round(v) for v in target])

    def track(self, image: Image) -> Estimate:
        """Find the target."""
        found, box = self._tracker.update(image)
        self._box = Box(*map(float, box)) if found else self._box
        return Estimate(self._box, None, 1.0)

    def set_state(self, box: Box) -> None:
        """MIL keeps its own state."""


class StaticTracker:
    """Answers the box that it was last told: what a refiner does alone."""

    def initialize(self, image: Image, target: Box) -> None:
        """Start on the target."""
        self._box = target

    def track(self, image: Image) -> Estimate:
        """The same box again."""
        return Estimate(self._box, None, 1.0)

    def set_state(self, box: Box) -> None:
        """Stay here from now on."""
        self._box = box


BASES: dict[str, Callable[[], Tracker]] = {"MIL": MilTracker, "static": StaticTracker}
"""Name -> what makes the tracker."""


def _load(name: str) -> Tracker:
    base = BASES[os.environ["ARVOT_BASE"]]()
    if os.environ.get("ARVOT_REFINE") != "1":
        return base
    from alpharefine import refined

    return refined(base)


if __name__ == "__main__":
    is_refined = os.environ.get("ARVOT_REFINE") == "1"
    raise SystemExit(
        serve(_load, name=os.environ["ARVOT_BASE"], output="mask" if is_refined else "box")
    )
