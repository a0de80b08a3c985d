"""Trackers that were written with the first release go on running."""

from alpharefine import types
from alpharefine.geometry.boxes import Box
from alpharefine.trackers.base import Estimate, Image, Mask, Tracker


def test_an_estimate_is_made_with_a_score() -> None:
    box = Box(1.0, 2.0, 3.0, 4.0)
    found = Estimate(box, mask=None, score=0.5)
    assert found == types.Estimate(box, None, confidence=0.5)
    assert Estimate(box, None, 7.0).confidence == 1.0
    assert (Image, Mask, Tracker) == (types.Image, types.Mask, types.Tracker)
