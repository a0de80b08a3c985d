"""Visual object tracking: DiMP-super and the Alpha-Refine module for any base tracker."""

__version__ = "0.1.0"
