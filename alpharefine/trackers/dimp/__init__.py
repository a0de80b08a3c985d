"""DiMP with the PrDiMP box regressor ("DiMP-super")."""

from alpharefine.trackers.dimp.config import DimpConfig
from alpharefine.trackers.dimp.tracker import DimpTracker

__all__ = ["DimpConfig", "DimpTracker"]
